//! The numbers in a file of the ONNX format: protocol buffers, of which only the constants of the graph are read.

use std::collections::HashMap;

/// `ModelProto.graph`.
const GRAPH: u64 = 7;
/// `GraphProto.initializer`.
const INITIALIZER: u64 = 5;
/// `TensorProto.float_data`, `int32_data`, `name` and `raw_data`.
const FLOATS: u64 = 4;
const WHOLE: u64 = 5;
const NAME: u64 = 8;
const RAW: u64 = 9;

/// The constants of a graph, by name and in the order of the file.
pub(crate) struct Constants<'a> {
    named: HashMap<&'a str, &'a [u8]>,
    names: Vec<&'a str>,
}

/// One field of a message.
struct Field<'a> {
    number: u64,
    /// Of a field that has a length; the others are counted only.
    bytes: &'a [u8],
}

impl<'a> Constants<'a> {
    /// Reads a file; none when it is not of the format.
    pub(crate) fn read(file: &'a [u8]) -> Option<Self> {
        let graph = fields(file)?.into_iter().find(|field| field.number == GRAPH)?.bytes;
        let mut constants = Self { named: HashMap::new(), names: Vec::new() };
        for tensor in fields(graph)?.into_iter().filter(|field| field.number == INITIALIZER) {
            let (mut name, mut numbers) = ("", [].as_slice());
            for field in fields(tensor.bytes)? {
                match field.number {
                    NAME => name = std::str::from_utf8(field.bytes).ok()?,
                    RAW | FLOATS | WHOLE => numbers = field.bytes,
                    _ => {}
                }
            }
            constants.named.insert(name, numbers);
            constants.names.push(name);
        }
        Some(constants)
    }

    /// The bytes of a constant's numbers, the last dimension innermost, little end first.
    pub(crate) fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.named.get(name).copied()
    }

    /// A constant that is one small whole number.
    pub(crate) fn whole(&self, name: &str) -> Option<u8> {
        match self.bytes(name)? {
            // One of seven bits is its own encoding.
            [] => Some(0),
            [byte @ 0..0x80] => Some(*byte),
            _ => None,
        }
    }

    /// The names, in the order of the file.
    pub(crate) fn names(&self) -> &[&'a str] {
        &self.names
    }
}

/// The fields of a message.
fn fields(mut message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let length = match key & 7 {
            0 => {
                varint(&mut message)?;
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (bytes, rest) = message.split_at_checked(length)?;
        fields.push(Field { number: key >> 3, bytes });
        message = rest;
    }
    Some(fields)
}

/// A whole number in groups of seven bits, the lowest first.
fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
