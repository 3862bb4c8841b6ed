//! stub
use super::Csp;
use crate::problem::Problem;
/// stub
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Additions(String);
impl Additions {
    /// stub
    pub fn parse(_t: &str) -> Result<Self, Problem> {
        Ok(Self(String::new()))
    }
    /// stub
    pub fn extend(&mut self, _o: Self) {}
}
impl Csp {
    /// stub
    pub fn add(&mut self, _a: &Additions) {}
    /// stub
    pub fn is_at_least_as_strict_as(&self, o: &Self) -> bool {
        self == o
    }
}
