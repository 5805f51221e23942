//! Realistic access logs of CloudFront and of load balancers from a seed, to try things out and to
//! measure.
//!
//! The same [`Spec`] gives the same bytes on any number of threads: the plan is made first, each
//! object is seeded by its own place in it, and threads share nothing but a counter. The shape
//! follows what real logs do to a reader: many small objects, rows out of order, a few rows from
//! before their object's hour, long-tailed paths and clients, identifiers that do not compress. No
//! address, host or identifier in them belongs to anybody.
//!
//! | file | what it does |
//! |-|-|
//! | `spec` | what to generate: rows, hours, seed |
//! | `plan` | which objects there are, what each is called and how many rows it holds |
//! | `run` | writes the objects, on several threads |
//! | `makers` | the sources whose logs can be made: a new one is a line there |
//! | `cloudfront`, `row` | an object of CloudFront, and one row of it |
//! | `alb` | a row of a load balancer |
//! | `delivery`, `encode` | the same rows as W3C, plain, JSON and Parquet; percent encoding |
//! | `sessions`, `exchange`, `outcomes` | who asks for what, and how each request ends |
//! | `clients`, `sites`, `uris`, `queries`, `edges` | clients, distributions, paths, query strings, edge locations |
//! | `agents`, `family`, `browsers`, `bots` | user agents of people and machines |
//! | `draw`, `digits` | seeded dice; numbers as text |

mod agents;
mod alb;
mod bots;
mod browsers;
mod clients;
mod cloudfront;
mod delivery;
mod digits;
mod draw;
mod edges;
mod encode;
mod exchange;
mod family;
mod makers;
mod outcomes;
mod plan;
mod queries;
mod row;
mod run;
mod sessions;
mod sites;
mod spec;
#[cfg(test)]
mod tests;
mod uris;

pub use encode::encoded;
pub use makers::{field_names, tables};
pub use run::{Generated, run};
pub use spec::{Delivery, Spec};
