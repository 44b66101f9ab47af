pub(crate) mod dead_letters;
mod demo;
pub(crate) mod dev;
pub(crate) mod okta;
pub(crate) mod probe;
pub(crate) mod send;
mod target;
