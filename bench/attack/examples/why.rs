use casque_attack::attackers::{Attack, Kind};
use casque_attack::policies::guard::LoginGuard;
use casque_attack::scenario::*;
use std::collections::BTreeMap;
struct Spy(LoginGuard, BTreeMap<String, u32>);
impl Policy for Spy {
    fn attempt(&mut self, t: &Try) -> Answer {
        let a = self.0.attempt(t);
        if t.whose != Whose::Attacker && t.right && a == Answer::Refused {
            *self.1.entry(format!("{:?} known={} h={:02} {}", t.whose, t.known, t.at / HOUR, self.0.last.chars().take(42).collect::<String>())).or_default() += 1;
        }
        a
    }
}
fn main() {
    for kind in [Kind::Stuffing, Kind::LockOut, Kind::Spraying] {
        let mut spy = Spy(LoginGuard::default(), BTreeMap::new());
        let t = run(&mut spy, Some(&Attack { kind, solves: true }));
        println!("{kind:?} {:?}", t.checked);
        for (k, v) in spy.1 { println!("  {k}: {v}"); }
    }
}
