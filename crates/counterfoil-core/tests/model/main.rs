//! The refresh rotation, explored exhaustively: every interleaving, whole state spaces, no bound on the depth. What is
//! driven is the real [`decide`](counterfoil_core::refresh::rotation::decide).
//!
//! The world: one session in a store. Replicas load, decide and swap in separate steps, by clocks that may differ. A
//! browser has one cookie jar and any number of tabs, each of which may send the jar's token at any time; the jar takes
//! whichever answer arrives last. The network loses, delays and reorders, and repeats requests (not answers: HTTP has
//! one per request; `edges` shows what would happen). A thief may copy the jar's token once and uses it and what it
//! brings at will, with a perfect network. The store may be put back to any earlier state. The user may end the session.
//!
//! What S3 takes for granted, to the letter (with life L each way, a retry within R, clocks that differ by D, grace G):
//! * a request reaches the reading that decides on it within L of being sent, or is given up; its answer arrives within
//!   L of that reading, time at the server included, or never;
//! * a token that was spent longer than R ago is not sent any more: not by the retry of a retry either, nor by another
//!   tab while the retry is under way; and of those sent in time, one gets its answer;
//! * R + L + D ≤ G and 2 L + D ≤ G.
//!
//! Each run asks one question, since stateright 0.31 may report a longer trace than needed when several are open.
//! `make model` runs them; the workspace's manifest has this crate optimised in every build, or some would take minutes.
//!
//! | file | what |
//! |---|---|
//! | `world` | a state, and its canonical name |
//! | `steps` | what each action does |
//! | `model` | actions, claims, configurations |
//! | `rules` | the adapter to the real function, and the rules that can be taken out |
//! | `check` | runs the checker |
//! | `properties` | the claims hold, and are not vacuous |
//! | `mutations` | without a rule they do not |
//! | `edges` | where the claims end, and what would carry them further |

mod check;
mod edges;
mod model;
mod mutations;
mod properties;
mod rules;
mod steps;
mod world;
