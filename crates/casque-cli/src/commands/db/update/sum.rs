//! The sum that Google Cloud Storage sends with every object: `x-goog-hash: crc32c=BASE64`, of the whole object even when a part of it
//! was asked for (cloud.google.com/storage/docs/hashes-etags). It finds damage on the way. Who could change the file could change the
//! sum too: against that there is TLS.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;

/// CRC-32C (RFC 9260 appendix A), a byte at a time, bits reversed.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

fn add(sum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(sum, |sum, byte| (sum >> 8) ^ TABLE[usize::from(sum as u8 ^ byte)])
}

/// The sum of a file.
pub(super) fn of_file(path: &Path) -> io::Result<u32> {
    let mut file = File::open(path)?;
    let mut room = vec![0; 1 << 16];
    let mut sum = u32::MAX;
    loop {
        match file.read(&mut room)? {
            0 => return Ok(!sum),
            length => sum = add(sum, room.get(..length).unwrap_or_default()),
        }
    }
}

/// The sum that an answer names. One line may have several, of several kinds.
pub(super) fn announced(headers: &HeaderMap) -> Option<u32> {
    let lines = headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok());
    let sum = lines.flat_map(|line| line.split(',')).find_map(|sum| sum.trim().strip_prefix("crc32c="))?;
    let bytes: [u8; 4] = BASE64_STANDARD.decode(sum).ok()?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_that_the_rfc_gives() {
        // RFC 3720 B.4.
        assert_eq!(!add(u32::MAX, &[0; 32]), 0x8a91_36aa);
        assert_eq!(!add(u32::MAX, &[0xff; 32]), 0x62a8_ab43);
        assert_eq!(!add(u32::MAX, &(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(!add(u32::MAX, b"123456789"), 0xe306_9283);
    }

    #[test]
    fn sums_in_a_head() {
        let head = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-goog-hash", line.parse().unwrap());
            }
            announced(&headers)
        };
        assert_eq!(head(&["crc32c=4waSgw=="]), Some(0xe306_9283));
        assert_eq!(head(&["md5=Ojk9c3dhfxgoKVVHYwFbHQ==", "crc32c=4waSgw=="]), Some(0xe306_9283));
        assert_eq!(head(&["md5=Ojk9c3dhfxgoKVVHYwFbHQ==, crc32c=4waSgw=="]), Some(0xe306_9283));
        for other in [&[][..], &["md5=Ojk9c3dhfxgoKVVHYwFbHQ=="], &["crc32c=4waS"], &["crc32c=?"]] {
            assert_eq!(head(other), None, "{other:?}");
        }
    }
}
