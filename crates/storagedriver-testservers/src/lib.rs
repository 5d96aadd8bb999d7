//! Object store servers for tests, in the process of the test.
