//! The operator's verbs, on a Unix socket of their own.
//!
//! **Attacks and answers.** What is asked here names clients and changes limits, and the pages on loopback have no password: any
//! program on the machine, and an app that can be made to ask for addresses, reaches those. So the verbs are on a socket that only
//! the gateway's own user may open (mode 0600, set before anybody can connect), which no browser and no HTTP client of an app can
//! name. *A file in its place*: only a socket at which nobody answers is replaced.

use std::fs::{self, Permissions};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use casque::serve::{Caps, Drain, Settings, connection};
use socket2::{Domain, SockAddr, Socket, Type};

use super::verbs::Verbs;

/// Connections at a time, and such as wait.
const MOST: usize = 32;

/// The socket, bound and listening. Its file goes when this is dropped.
#[derive(Debug)]
pub(crate) struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The file that was made: device and number.
    file: (u64, u64),
}

impl AdminSocket {
    /// Makes the socket.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let failed = |why: String| io::Error::other(format!("[admin] socket `{}`: {why}", path.display()));
        make_room(path).map_err(failed)?;
        let bound = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.bind(&SockAddr::unix(path)?)?;
            // Nobody can connect before it listens.
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
            socket.listen(MOST as i32)?;
            socket.set_nonblocking(true)?;
            let file = fs::symlink_metadata(path)?;
            Ok(Self { listener: socket.into(), path: path.to_owned(), file: (file.dev(), file.ino()) })
        };
        bound().map_err(|e: io::Error| failed(format!("{e}; name a path in a folder that casque may write to")))
    }

    /// Answers on a thread of its own until the gateway is told to stop.
    pub(crate) fn start(&self, verbs: Verbs, drain: Drain) -> io::Result<()> {
        let listener = self.listener.try_clone()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("casque-socket".to_owned()).spawn(move || {
            tokio::task::LocalSet::new().block_on(&runtime, serve(listener, verbs, drain));
        })?;
        Ok(())
    }
}

async fn serve(listener: UnixListener, verbs: Verbs, drain: Drain) {
    let Ok(listener) = tokio::net::UnixListener::from_std(listener) else { return };
    let (caps, settings) = (Caps::new(MOST, 0), Arc::new(Settings::default()));
    loop {
        let accepted = tokio::select! {
            biased;
            () = drain.begun() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((io, _)) = accepted else {
            // No descriptor is left, most likely.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // One too many is closed.
        if let Ok(permit) = caps.take(None) {
            let served = connection(io, IpAddr::V4(Ipv4Addr::LOCALHOST), verbs.clone(), settings.clone(), permit, drain.clone());
            tokio::task::spawn_local(served);
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // Another casque may have put its own there.
        if fs::symlink_metadata(&self.path).is_ok_and(|file| (file.dev(), file.ino()) == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes away what a casque that was killed has left.
fn make_room(path: &Path) -> Result<(), String> {
    let Ok(file) = fs::symlink_metadata(path) else { return Ok(()) };
    if !file.file_type().is_socket() {
        return Err("there is a file that is no socket; name another path".to_owned());
    }
    match UnixStream::connect(path) {
        Ok(_) => Err("another casque answers there; name another path, or end that one".to_owned()),
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|e| format!("what another casque has left cannot be removed: {e}"))
        }
        Err(e) => Err(format!("there is a socket that cannot be asked: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_user_may_open_it_and_only_what_is_dead_is_replaced() {
        let folder = std::env::temp_dir().join(format!("casque-socket-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("admin.sock");
        let first = AdminSocket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(AdminSocket::bind(&path).unwrap_err().to_string().contains("another casque answers there"));
        // One that was killed leaves its file.
        fs::rename(&path, folder.join("kept")).unwrap();
        drop(first);
        fs::rename(folder.join("kept"), &path).unwrap();
        let second = AdminSocket::bind(&path).unwrap();
        drop(second);
        assert!(!path.exists());
        fs::write(&path, "notes").unwrap();
        assert!(AdminSocket::bind(&path).unwrap_err().to_string().contains("no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "notes");
        fs::remove_dir_all(&folder).unwrap();
    }
}
