//! The refresh rotation, explored exhaustively.
mod model;
mod properties;
mod rules;
mod steps;
mod world;
