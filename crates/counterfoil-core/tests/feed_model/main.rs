//! The revocation feed and its leases, explored exhaustively: every interleaving, whole state spaces, no bound on the
//! depth. What is driven are the real [`Follower`](counterfoil_guard::feed::Follower),
//! [`Journal`](counterfoil_core::feed::Journal) and [`Leases`](counterfoil_core::feed::Leases).
//!
//! The world: guards poll whenever they like, several of them under one credential. The network loses, delays, reorders
//! and repeats; a guard that is cut off is one whose messages are never delivered. A replica takes a poll in, grants
//! the lease, and reads the log, in separate steps, within `wait`. Entries are committed at any moment. Guards restart
//! as new instances, replicas with empty tables; the log is put back under a new id and what was revoked replayed in
//! either order. Every receipt that could be given at any moment is given: asking changes nothing.
//!
//! Time goes in ticks of the authority's clock; a guard's clock counts 9, 10 or 11 ms in each of 10 ms. So ρ is a tenth,
//! and m, one tick, is at least 2ρ(S + wait), as in the design but on a coarser scale. `held_ms` comes out whole, so
//! nothing is rounded; both clocks of a guard agree, since either may only end a lease earlier.
//!
//! Real: what a cursor acknowledges, pages, grants, the table, `effective` by one table, all that a guard does with an
//! answer, and whether it accepts. The harness's own: the registry of replicas, which is a database
//! (`steps`: `publish`, `reports`, `register`, `leave`), a replica's copy of the log and its age, the restore. A
//! floor that was ever published stays readable, which is the worst a slow database can do. Replicas' clocks run alike.
//!
//! To keep it finite: machines are made from a state before each step and read back after it, times relative to now. In
//! most runs what the guard no longer waits for is lost at once: late, it could only make a receipt later. Once all is
//! reported, tables no longer count.
//!
//! Each run asks one question, since stateright 0.31 may report a longer trace than needed when several are open.
//! `make model` runs them; the workspace's manifest has both crates optimised in every build, or some would take minutes.
//!
//! | file | what |
//! |---|---|
//! | `world` | a state, and its canonical name |
//! | `steps` | what each action does |
//! | `model` | actions, claims, configurations |
//! | `rules` | the adapter to the real machines, and the rules that can be taken out |
//! | `check` | runs the checker |
//! | `properties` | the claims hold, and are not vacuous |
//! | `mutations` | without a rule they do not |

mod check;
mod model;
mod mutations;
mod properties;
mod rules;
mod steps;
mod world;
