use super::{ByteSize, Span};

#[test]
fn sizes_read_back_as_written() {
    let read = |text: &str| text.parse::<ByteSize>().map(|size| size.0).ok();
    assert_eq!(read("256MiB"), Some(256 << 20));
    assert_eq!(read("1 GiB"), Some(1 << 30));
    assert_eq!(read("10kB"), Some(10_000));
    assert_eq!(read("4096"), Some(4096));
    assert_eq!(read("much"), None);
    assert_eq!(read("-1"), None);
    for size in [0, 1, 1023, 1 << 20, 3 << 30] {
        assert_eq!(read(&ByteSize(size).to_string()), Some(size));
    }
}

#[test]
fn durations_read_back_as_written() {
    let read = |text: &str| text.parse::<Span>().ok();
    assert_eq!(read("30s"), Some(Span::secs(30)));
    assert_eq!(read("500ms"), Some(Span::millis(500)));
    assert_eq!(read("1h 30m"), Some(Span::secs(5400)));
    assert_eq!(read("soon"), None);
    assert_eq!(read(&Span::millis(1500).to_string()), Some(Span::millis(1500)));
}
