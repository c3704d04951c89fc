//! Where workers meet: texts are indexed and searched, and SQL asks vector indexes.
//!
//! It never stores, computes or serves anything itself: each flow is a few calls in order.
