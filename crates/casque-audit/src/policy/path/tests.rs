use proptest::prelude::*;

use super::*;
use crate::graph::{Graph, InstanceId};
use crate::{Kind, Limits, Manifests, parse};

/// A graph of packages `a` to `z`, each with what it asks for; the project asks for what `""` has.
fn graph(edges: &[(&str, &[&str])]) -> Graph {
    let list = |asked: &[&str]| asked.iter().map(|name| format!(r#""{name}": "*""#)).collect::<Vec<_>>().join(", ");
    let entries: Vec<String> = edges
        .iter()
        .map(|(name, asked)| match *name {
            "" => format!(r#""": {{"name": "app", "dependencies": {{{}}}}}"#, list(asked)),
            name => format!(r#""node_modules/{name}": {{"version": "1.2.3", "dependencies": {{{}}}}}"#, list(asked)),
        })
        .collect();
    let text = format!(r#"{{"name": "app", "lockfileVersion": 3, "packages": {{{}}}}}"#, entries.join(", "));
    parse(Kind::Npm, text.as_bytes(), &Manifests::default(), &Limits::default()).unwrap()
}

/// The way that is open to a package, by names.
fn open(graph: &Graph, to: &str, paths: &[&str]) -> Option<String> {
    let paths: Vec<DependencyPath> = paths.iter().map(|path| DependencyPath::parse(path).unwrap()).collect();
    let to: Vec<InstanceId> = graph.iter().filter(|(_, i)| *i.package.name == *to).map(|(id, _)| id).collect();
    let way = open_way(graph, &to, &paths.iter().collect::<Vec<_>>(), false)?;
    Some(way.iter().map(|id| graph.instance(*id).name()).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_path_holds_where_it_is_every_way_there_is() {
    let graph = graph(&[("", &["a", "b"]), ("a", &["c"]), ("b", &["c"]), ("c", &["d"]), ("d", &[])]);
    for (paths, way) in [
        (&["a > c > d"][..], Some("app b c d")),
        (&["a > c > d", "b > c > d"], None),
        (&["* > d"], None),
        (&["*"], None),
        (&["a > *", "b > * > d"], None),
        (&["a>*>d", "b@^1 > c@<2 > d"], None),
        (&["a > *", "b@2 > *"], Some("app b c d")),
        (&["d"], Some("app a c d")),
        (&["a > d", "b > d"], Some("app a c d")),
    ] {
        assert_eq!(open(&graph, "d", paths).as_deref(), way, "{paths:?}");
    }
}

#[test]
fn circles_are_no_ways() {
    let graph = graph(&[("", &["x"]), ("x", &["y", "t"]), ("y", &["x"]), ("t", &["x"])]);
    assert_eq!(open(&graph, "t", &["x > t"]), None);
    assert_eq!(open(&graph, "t", &["x > y > t"]).as_deref(), Some("app x t"));
}

#[test]
fn what_no_project_reaches_has_its_own_name_for_a_way() {
    let graph = graph(&[("", &[]), ("lost", &[])]);
    assert_eq!(open(&graph, "lost", &["a"]).as_deref(), Some("lost"));
    assert_eq!(open(&graph, "lost", &["* > lost"]), None);
}

#[test]
fn many_ways_are_no_more_work_and_too_many_are_open() {
    // 2^40 ways by 40 pairs.
    let names: Vec<[String; 3]> = (0..40).map(|n| [format!("n{n}"), format!("l{n}"), format!("r{n}")]).collect();
    let mut edges: Vec<(&str, Vec<&str>)> = vec![("", vec!["n0"])];
    for (n, [top, left, right]) in names.iter().enumerate() {
        let next = names.get(n + 1).map_or("end", |[next, ..]| next);
        edges.extend([(&**top, vec![&**left, &**right]), (&**left, vec![next]), (&**right, vec![next])]);
    }
    edges.push(("end", Vec::new()));
    let edges: Vec<(&str, &[&str])> = edges.iter().map(|(name, asked)| (*name, &asked[..])).collect();
    let graph = graph(&edges);
    assert_eq!(open(&graph, "end", &["* > l20 > *", "* > r20 > * > end"]), None);
    // How far each of these has been followed differs from way to way: too many to look at.
    let hard: Vec<String> = (0..38).map(|n| format!("* > l{n} > * > r{} > * > r{} > *", n + 1, n + 2)).collect();
    let hard: Vec<&str> = hard.iter().map(String::as_str).collect();
    assert!(open(&graph, "end", &hard).is_some());
}

#[test]
fn what_is_no_path_is_refused() {
    for bad in ["", "a >", "> a", "a > > b", "a b", "a@", "a@latest", "a* > b", "a\u{1b}"] {
        assert!(DependencyPath::parse(bad).is_err(), "{bad}");
    }
    assert!(DependencyPath::parse(&vec!["a"; 100].join(">")).unwrap_err().contains("60 steps"));
    assert_eq!(DependencyPath::parse("@s/a@1.x>*> b").unwrap().to_string(), "@s/a@1.x > * > b");
}

proptest! {
    /// Against every way without a circle, followed one by one.
    #[test]
    fn the_search_agrees_with_counting_ways(
        edges in proptest::collection::vec(proptest::collection::vec(0usize..5, 0..4), 6),
        patterns in proptest::collection::vec(proptest::collection::vec(0usize..7, 1..4), 1..3),
    ) {
        const NAMES: [&str; 5] = ["a", "b", "c", "d", "t"];
        let asked: Vec<Vec<&str>> = edges.iter().map(|to| {
            let mut names: Vec<&str> = to.iter().map(|n| NAMES[*n]).collect();
            names.sort_unstable();
            names.dedup();
            names
        }).collect();
        let list: Vec<(&str, &[&str])> =
            ["", "a", "b", "c", "d", "t"].into_iter().zip(&asked).map(|(name, asked)| (name, &asked[..])).collect();
        let graph = graph(&list);
        let patterns: Vec<Vec<&str>> =
            patterns.iter().map(|steps| steps.iter().map(|n| NAMES.get(*n).copied().unwrap_or("*")).collect()).collect();
        let texts: Vec<String> = patterns.iter().map(|steps| steps.join(" > ")).collect();

        let mut ways: Vec<Vec<&str>> = Vec::new();
        let mut stack: Vec<Vec<&str>> = asked[0].iter().map(|name| vec![*name]).collect();
        while let Some(way) = stack.pop() {
            let last = way[way.len() - 1];
            if last == "t" {
                ways.push(way);
                continue;
            }
            let at = NAMES.iter().position(|name| *name == last).unwrap();
            stack.extend(asked[at + 1].iter().filter(|to| !way.contains(to)).map(|to| [&way[..], &[*to]].concat()));
        }
        if ways.is_empty() {
            ways.push(vec!["t"]);
        }
        let is_open = ways.iter().any(|way| !patterns.iter().any(|steps| fits(steps, way)));
        let found = open(&graph, "t", &texts.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(found.is_some(), is_open, "{:?} {:?} {:?}", list, texts, ways);
    }

    #[test]
    fn no_text_panics(text in "[a-c@*> .0-9^~x|\\-]{0,24}") {
        if let Ok(path) = DependencyPath::parse(&text) {
            prop_assert_eq!(DependencyPath::parse(&path.to_string()), Ok(path));
        }
    }
}

fn fits(steps: &[&str], way: &[&str]) -> bool {
    match (steps, way) {
        ([], []) => true,
        (["*", rest @ ..], _) => (0..=way.len()).any(|n| fits(rest, &way[n..])),
        ([step, steps @ ..], [name, way @ ..]) => step == name && fits(steps, way),
        _ => false,
    }
}
