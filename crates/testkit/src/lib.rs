//! Parts for tests: clocks that tests set, seeded dice, lakes in temporary directories, stores that fail on purpose, real
//! servers of S3, of embeddings and of language models, other engines.
//!
//! It is never part of the product. Reading order: [`seam`], [`lake`], [`bucket`], [`faulty`] and [`fickle`], [`s3`], [`juicefs`],
//! [`embedders`], [`minilm`], [`cross_encoder`], [`scripted`], [`talker`], [`talkers`], [`witnesses`], [`inspector`], [`skip`].

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

pub mod bucket;
pub mod cross_encoder;
pub mod embedders;
pub mod faulty;
pub mod fickle;
pub mod inspector;
pub mod juicefs;
pub mod lake;
pub mod minilm;
mod part;
pub mod postgres;
pub mod s3;
pub mod scripted;
pub mod seam;
pub mod skip;
pub mod talker;
pub mod talkers;
pub mod witnesses;

pub use bucket::Bucket;
pub use cross_encoder::cross_encoder;
pub use embedders::Embedders;
pub use faulty::{Call, Ending, Fate, Faulty, Mishap, Verb};
pub use fickle::Fickle;
pub use inspector::Inspector;
pub use juicefs::JuiceFs;
pub use lake::TestLake;
pub use minilm::Minilm;
pub use postgres::PostgresServer;
pub use s3::S3Server;
pub use scripted::{Asked, Reply, Scripted};
pub use seam::{FixedClock, SeededDice, SteppingClock, fixed_seams, seams};
pub use skip::skip;
pub use talker::Talker;
pub use talkers::Talkers;
pub use witnesses::{agents, sail, schemathesis, witnesses};
