//! One query against many rows: inner products and squared distances, as wide as the machine allows.
//!
//! A row's score depends on its values alone, never on its place among other rows. The kernels add in different
//! orders, so their scores differ in the last digits; whoever ranks by them computes the best ones again with [`ann::precise`].

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod scalar;
#[cfg(test)]
mod tests;

/// How one query is compared with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The inner product.
    Dot,
    /// The square of the Euclidean distance.
    Squared,
}

/// A way to compute scores. All ways agree within 1e-5 of the magnitude of the terms that are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// Plain code: the reference.
    Scalar,
    /// Eight lanes with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Sixteen lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The widest one that this machine can run.
    pub fn best() -> Self {
        Self::all().pop().unwrap_or(Self::Scalar)
    }

    /// Those that this machine can run, from narrow to wide.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(avx2::is_supported().then_some(Self::Avx2));
            all.extend(avx512::is_supported().then_some(Self::Avx512));
        }
        all
    }

    /// Writes the score of each row. `rows` holds one row of the query's length for each of `scores`.
    pub fn score(self, measure: Measure, query: &[f32], rows: &[f32], scores: &mut [f32]) {
        assert_eq!(rows.len(), query.len() * scores.len(), "a score for each row, and a query as long as a row");
        match self {
            Self::Scalar => scalar::score(measure, query, rows, scores),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::score(measure, query, rows, scores),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::score(measure, query, rows, scores),
        }
    }
}
