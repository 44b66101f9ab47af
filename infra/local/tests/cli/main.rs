//! The `joiner` binary as its user meets it: arguments, a folder and an environment in; lines, signals and an exit code
//! out.

mod child;
mod company;
mod curl;
mod dead_letters;
mod demo;
mod dev;
mod facts;
mod logs;
mod okta_command;
mod probe;
mod running;
mod send;
mod start;
mod stop;
mod traces;
mod variables;
