//! The loops that touch every number, each in versions for what a machine can do. All versions answer the same bits:
//! whole numbers are added exactly, and floats in the same order everywhere, so that a structure that was built on one
//! machine ranks the same on another.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod floats;
mod scalar;

pub(crate) use floats::Frame;
pub(crate) use scalar::lane;

#[cfg(test)]
mod tests;

/// Rows whose signs lie together and are scored at once.
pub(crate) const BLOCK: usize = 64;
/// Dimensions that one look into a table answers for.
pub(crate) const GROUP: usize = 6;
/// Entries of one table: one for each way in which a group's signs can fall.
pub(crate) const ENTRIES: usize = 1 << GROUP;
/// Groups whose signs are packed together: the fourth lies in the spare bits of three.
pub(crate) const PACKED: usize = 4;
/// Bytes that the signs of a block's rows take in one pack.
pub(crate) const PACK: usize = BLOCK * GROUP * PACKED / 8;

/// One byte for each row of a block.
pub(crate) type Lanes = [u8; BLOCK];

/// The tables of one query: for each pack of groups, four tables of entries between 0 and 63.
pub(crate) type Tables = [[[u8; ENTRIES]; PACKED]];

/// How sums over tables become scores: `base - factor * (sum * slope + offset)` with the row's own base and factor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub slope: f32,
    pub offset: f32,
    /// Scores at or above it are of no interest.
    pub limit: f32,
}

/// A block of rows: their signs, and what turns sums into scores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    pub signs: &'a [[Lanes; PACKED - 1]],
    pub bases: &'a [[u8; 4]; BLOCK],
    pub factors: &'a [[u8; 4]; BLOCK],
}

/// A set of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// Plain code: the reference.
    Scalar,
    /// 256 bits at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512 bits at a time, with lookups among 64 bytes and sums of products of bytes.
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

    /// Scores the rows of a block and tells which are below the line's limit, the first row in the lowest bit.
    pub fn scan(self, tables: &Tables, block: Block, line: Line, scores: &mut [f32; BLOCK]) -> u64 {
        assert_eq!(tables.len(), block.signs.len(), "tables for all signs");
        match self {
            Self::Scalar => scalar::scan(tables, block, line, scores),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::scan(tables, block, line, scores),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::scan(tables, block, line, scores),
        }
    }

    /// The sums of products of each query with each row: all rows for the first query, then for the next. Both are
    /// of `width` numbers, a multiple of [`BLOCK`].
    pub fn products(self, width: usize, queries: &[i8], rows: &[u8], products: &mut [i32]) {
        assert!(width > 0 && width.is_multiple_of(BLOCK), "a width in whole registers");
        assert_eq!(products.len(), (queries.len() / width) * (rows.len() / width), "a product for each pair");
        match self {
            Self::Scalar => scalar::products(width, queries, rows, products),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::products(width, queries, rows, products),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::products(width, queries, rows, products),
        }
    }

    /// The sum of products of one query with one row, both of a multiple of [`BLOCK`] numbers.
    pub fn product(self, query: &[i8], row: &[u8]) -> i32 {
        match self {
            Self::Scalar => scalar::product(query, row),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::product(query, row),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::product(query, row),
        }
    }

    /// Asks for values that will be read soon.
    pub fn prefetch<T>(self, values: &[T]) {
        #[cfg(target_arch = "x86_64")]
        if self != Self::Scalar {
            avx2::prefetch(values);
        }
    }
}
