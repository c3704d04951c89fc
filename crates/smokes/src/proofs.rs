//! What there is to prove, by name.

use futures::future::LocalBoxFuture;

use crate::stack::Ground;
use crate::{chatd, d1, d2, d3, d4, d5, d6, g1, g1p, g2, iceberg, split, time_travel, validatord};

/// One smoke: its name, what it proves, and the proof.
pub struct Proof {
    /// What it is asked for by.
    pub name: &'static str,
    /// What holds when it passes, in a sentence without an end.
    pub proves: &'static str,
    /// Whether it can run on a bucket too.
    pub on_s3: bool,
    run: fn(Ground) -> LocalBoxFuture<'static, anyhow::Result<()>>,
}

impl Proof {
    /// Proves it on stacks of its own; an error says what did not hold.
    pub async fn run(&self, ground: Ground) -> anyhow::Result<()> {
        (self.run)(ground).await
    }
}

/// Every smoke, in the order in which `all` runs them.
pub fn proofs() -> &'static [Proof] {
    &PROOFS
}

static PROOFS: [Proof; 14] = [
    Proof {
        name: "d1",
        proves: "every role is up under its right name, and the gateway reaches each",
        on_s3: false,
        run: |ground| Box::pin(d1::prove(ground)),
    },
    Proof {
        name: "d2",
        proves: "objects go in and out; the size cap and the cap on simultaneous uploads hold",
        on_s3: true,
        run: |ground| Box::pin(d2::prove(ground)),
    },
    Proof {
        name: "d3",
        proves: "register, manifest, list: the same again changes nothing, another schema conflicts, restarts forget nothing",
        on_s3: false,
        run: |ground| Box::pin(d3::prove(ground)),
    },
    Proof {
        name: "d4",
        proves: "a CSV becomes Parquet; the same bytes make no version; drift is refused",
        on_s3: false,
        run: |ground| Box::pin(d4::prove(ground)),
    },
    Proof {
        name: "d5",
        proves: "SQL answers over what was ingested, and only reads",
        on_s3: true,
        run: |ground| Box::pin(d5::prove(ground)),
    },
    Proof {
        name: "d6",
        proves: "the whole way from a file to an answer, through the gateway only",
        on_s3: false,
        run: |ground| Box::pin(d6::prove(ground)),
    },
    Proof {
        name: "g1",
        proves: "vectors go in and each finds itself; a wrong dimension, a missing index and a second creation are refused",
        on_s3: true,
        run: |ground| Box::pin(g1::prove(ground)),
    },
    Proof {
        name: "g1p",
        proves: "vectors, and their deletion, survive kill -9",
        on_s3: true,
        run: |ground| Box::pin(g1p::prove(ground)),
    },
    Proof {
        name: "g2",
        proves: "texts become vectors, and a search finds the text again and what means the same",
        on_s3: false,
        run: |ground| Box::pin(g2::prove(ground)),
    },
    Proof {
        name: "time_travel",
        proves: "every version answers as it did: by number, time and tag, in one query, and after a rollback and a drop",
        on_s3: true,
        run: |ground| Box::pin(time_travel::prove(ground)),
    },
    Proof {
        name: "iceberg",
        proves: "another engine finds our tables, commits beside us, is refused when it is late, and creates and drops its own",
        on_s3: true,
        run: |ground| Box::pin(iceberg::prove(ground)),
    },
    Proof {
        name: "chatd",
        proves: "a model's name finds its provider; what a provider says or refuses comes back as it is; streams end as they should",
        on_s3: false,
        run: |ground| Box::pin(chatd::prove(ground)),
    },
    Proof {
        name: "validatord",
        proves: "playbooks and fills are judged as everywhere: the happy case passes, the five others fail by their names",
        on_s3: false,
        run: |ground| Box::pin(validatord::prove(ground)),
    },
    Proof {
        name: "split",
        proves: "every role in its own process answers byte for byte what one process answers",
        on_s3: false,
        run: |ground| Box::pin(split::prove(ground)),
    },
];
