//! Which packages are affected, at which places, and through whom (Arborist's audit report).

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::calculator::{Calculator, Cause, Id, Name};
use super::fix::{Choice, choose};
use crate::cvss::Severity;
use crate::graph::{EdgeKind, Graph, InstanceId, Source};
use crate::lockfile::spec::Spec;
use crate::version::Version;

/// What is to be done about an affected package. Answers are told apart by where they come from: equal ones of two projects are two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    InRange,
    Change(Rc<(Name, Choice)>),
    None,
}

/// An affected package.
#[derive(Debug)]
pub(super) struct Affected {
    pub(super) name: Name,
    /// What it is affected by, in order.
    pub(super) causes: Vec<Id>,
    pub(super) severity: Option<Severity>,
    pub(super) nodes: Vec<InstanceId>,
    found: HashSet<InstanceId>,
    /// The projects that cannot get out of it within their ranges.
    tops: BTreeSet<InstanceId>,
    pub(super) answer: Answer,
    /// The affected packages that it depends on.
    via: Vec<usize>,
    /// Those that depend on it.
    pub(super) effects: BTreeSet<usize>,
}

pub(super) struct Trace<'c, 'a> {
    graph: &'a Graph,
    calculator: &'c mut Calculator<'a>,
    node: Option<&'c Version>,
    is_audited: &'c dyn Fn(InstanceId, bool) -> bool,
    queue: VecDeque<Id>,
    queued: HashSet<Id>,
    by_name: HashMap<Name, usize>,
    all: Vec<Option<Affected>>,
}

/// Follows advisories from what they are about to whoever cannot avoid it. `is_audited` tells whether a place counts, for an
/// advisory (true) or for what depends on something (false).
pub(super) fn trace<'a>(
    graph: &'a Graph,
    calculator: &mut Calculator<'a>,
    advisories: Vec<Id>,
    node: Option<&Version>,
    is_audited: &dyn Fn(InstanceId, bool) -> bool,
) -> Vec<Affected> {
    let queued = advisories.iter().copied().collect();
    let mut trace =
        Trace { graph, calculator, node, is_audited, queue: advisories.into(), queued, by_name: HashMap::new(), all: Vec::new() };
    let mut seen = HashSet::new();
    while let Some(id) = trace.queue.pop_front() {
        trace.advance(id, &mut seen);
    }
    trace.link();
    trace.finish()
}

impl<'a> Trace<'_, 'a> {
    fn advance(&mut self, id: Id, seen: &mut HashSet<(Name, String)>) {
        let name = self.calculator.get(id).name;
        let at = match self.by_name.get(&name).copied() {
            Some(at) => at,
            None => {
                self.all.push(Some(Affected::new(name)));
                self.by_name.insert(name, self.all.len() - 1);
                self.all.len() - 1
            }
        };
        let Some(mut affected) = self.all.get_mut(at).and_then(Option::take) else { return };
        let calculated = self.calculator.get(id);
        let (severity, before) = (calculated.severity, affected.severity);
        affected.causes.push(id);
        affected.severity = affected.severity.max(Some(severity));
        // Packages of the same name and range are looked for once; a second advisory about them only adds to the reasons.
        if seen.insert((name, calculated.range.clone())) {
            self.look_for(id, &mut affected);
        }
        if affected.nodes.is_empty() {
            self.by_name.remove(&name);
            return;
        }
        if !self.is_reason(id, &affected) {
            affected.causes.pop();
            affected.severity = before;
        }
        self.all[at] = Some(affected);
    }

    /// Finds the places, and who asks for them.
    fn look_for(&mut self, id: Id, affected: &mut Affected) {
        let graph = self.graph;
        let is_advisory = matches!(self.calculator.get(id).cause, Cause::Row(_));
        for node in self.calculator.instances(id) {
            let version = &*graph.instance(node).package.version;
            let counts = (self.is_audited)(node, is_advisory) && !affected.found.contains(&node);
            if !counts || !self.calculator.version_is_affected(id, version, None) {
                continue;
            }
            affected.found.insert(node);
            affected.nodes.push(node);
            for edge in graph.dependents(node).filter(|edge| edge.kind != EdgeKind::Link) {
                if self.is_top(edge.from) && !affected.tops.contains(&edge.from) {
                    affected.answer = self.answer(affected, &edge.range);
                    if affected.answer != Answer::InRange {
                        affected.tops.insert(edge.from);
                    }
                    continue;
                }
                let dependent = graph.instance(edge.from);
                let Some(name) = self.calculator.name(&dependent.package.name) else { continue };
                let Some(through) = self.calculator.calculate(name, Cause::Through(id)) else { continue };
                if self.calculator.version_is_affected(through, &dependent.package.version, Some(&edge.range))
                    && self.queued.insert(through)
                {
                    self.queue.push_back(through);
                }
            }
        }
    }

    fn is_top(&self, id: InstanceId) -> bool {
        self.graph.instance(id).source == Source::Workspace || self.graph.is_root(id)
    }

    fn answer(&mut self, affected: &Affected, asked: &str) -> Answer {
        let range = match Spec::parse(asked) {
            Spec::Elsewhere(_) => return Answer::None,
            Spec::Range(range) | Spec::Alias { range, .. } => range,
        };
        if !self.calculator.is_trapped(&affected.causes, range) {
            return Answer::InRange;
        }
        let releases = self.calculator.releases_of(affected.name);
        let choice = choose(&releases, asked, self.node, &|n| self.calculator.is_inside(&affected.causes, n));
        choice.map_or(Answer::None, |choice| Answer::Change(Rc::new((affected.name, choice))))
    }

    /// Whether a cause is one for any place that was found.
    fn is_reason(&mut self, id: Id, affected: &Affected) -> bool {
        let mut versions = affected.nodes.iter().map(|node| &self.graph.instance(*node).package.version);
        versions.any(|version| self.calculator.version_is_affected(id, version, None))
    }

    /// Ties packages to those that they are affected through, and passes on what there is to be done.
    fn link(&mut self) {
        for at in 0..self.all.len() {
            let Some(causes) = self.all[at].as_ref().map(|affected| affected.causes.clone()) else { continue };
            for id in causes {
                let Cause::Through(source) = self.calculator.get(id).cause else { continue };
                let Some(via) = self.by_name.get(&self.calculator.get(source).name).copied().filter(|via| *via != at) else { continue };
                let is_new = self.all[via].as_mut().is_some_and(|source| source.effects.insert(at));
                if let Some(affected) = &mut self.all[at] {
                    affected.via.extend(is_new.then_some(via));
                    let answer = affected.answer.clone();
                    self.pass_on(at, &answer);
                }
            }
        }
    }

    /// An answer holds for what brought the package in, unless there is a stricter one already: a change before none needed, another
    /// major before the same, and no way out before all of them.
    fn pass_on(&mut self, from: usize, answer: &Answer) {
        let mut open = vec![(from, 0)];
        while let Some((at, next)) = open.pop() {
            let Some(via) = self.all[at].as_ref().and_then(|affected| affected.via.get(next).copied()) else { continue };
            if self.calculator.pay(1).is_none() {
                return;
            }
            open.push((at, next + 1));
            let Some(affected) = &mut self.all[via] else { continue };
            if affected.answer.gives_way_to(answer) {
                affected.answer = answer.clone();
                open.push((via, 0));
            }
        }
    }

    fn finish(self) -> Vec<Affected> {
        // The places of packages that were taken back are closed.
        let mut places = vec![0; self.all.len()];
        let mut count = 0;
        for (at, affected) in self.all.iter().enumerate() {
            places[at] = count;
            count += usize::from(affected.is_some());
        }
        let mut all: Vec<Affected> = self.all.into_iter().flatten().collect();
        for affected in &mut all {
            affected.effects = affected.effects.iter().map(|at| places[*at]).collect();
        }
        all
    }
}

impl Affected {
    fn new(name: Name) -> Self {
        Self {
            name,
            causes: Vec::new(),
            severity: None,
            nodes: Vec::new(),
            found: HashSet::new(),
            tops: BTreeSet::new(),
            answer: Answer::InRange,
            via: Vec::new(),
            effects: BTreeSet::new(),
        }
    }
}

impl Answer {
    fn gives_way_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Change(own), Self::Change(other)) if Rc::ptr_eq(own, other) => false,
            (Self::None, Self::None) => false,
            (_, Self::None) | (Self::InRange | Self::None, Self::Change(_)) => true,
            (Self::Change(own), Self::Change(_)) => own.1.major != Some(true),
            (_, Self::InRange) => false,
        }
    }
}
