//! A small world in which the protocol's own machines run, and the exploration of everything that
//! can happen there.

#![allow(dead_code, reason = "each scenario uses its own part")]

pub(crate) mod explore;
pub(crate) mod scenario;
pub(crate) mod worker;
pub(crate) mod world;
