//! What more than one program of the bench is made of.

pub mod null;
