use crate::*;
#[derive(Default)]
pub struct Context;
pub fn grade(capture: &Capture, _: &Context) -> Report {
    Report {
        target: capture.host.clone(),
        profile: Profile::Strict,
        grade: Grade::A,
        score: 90,
        findings: Vec::new(),
        not_judged: capture.notes.clone(),
    }
}
