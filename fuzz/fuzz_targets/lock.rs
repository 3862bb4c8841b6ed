//! Lockfiles and bills of materials of every kind; the first byte says which. Whatever is read can be walked, and says its places.
#![no_main]

use casque_audit::{Kind, Limits, Manifests, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [selector, bytes @ ..] = bytes else { return };
    let (_, kind) = Kind::TYPES[usize::from(*selector) % Kind::TYPES.len()];
    let limits = Limits { packages: 1000, edges: 1000, ..Limits::default() };
    match parse(kind, bytes, &Manifests::default(), &limits) {
        Ok(graph) => {
            assert!(graph.instances().len() <= 1000 && graph.edges().len() <= 1000);
            assert_eq!(graph.nearest().len(), graph.instances().len());
            for (id, instance) in graph.iter() {
                assert!(instance.place.offset as usize <= bytes.len());
                for edge in graph.dependents(id) {
                    assert_eq!(edge.to, Some(id));
                }
                for edge in graph.requests(id) {
                    assert_eq!(edge.from, id);
                }
            }
        }
        Err(e) => assert!(!e.to_string().chars().any(char::is_control)),
    }
});
