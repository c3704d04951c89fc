//! Numbers that other rooms keep, read when somebody asks.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};

/// A number of another room, under its name.
pub(super) struct Told {
    name: &'static str,
    help: &'static str,
    read: Read,
}

enum Read {
    Gauge(Box<dyn Fn() -> f64 + Send + Sync>),
    Gauges(&'static str, Box<dyn Fn() -> Vec<(String, f64)> + Send + Sync>),
    Counter(Box<dyn Fn() -> u64 + Send + Sync>),
}

impl Told {
    pub(super) fn gauge(
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Self {
        Self { name, help, read: Read::Gauge(Box::new(read)) }
    }

    pub(super) fn gauges(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn() -> Vec<(String, f64)> + Send + Sync + 'static,
    ) -> Self {
        Self { name, help, read: Read::Gauges(label, Box::new(read)) }
    }

    pub(super) fn counter(
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        Self { name, help, read: Read::Counter(Box::new(read)) }
    }

    fn kind(&self) -> MetricType {
        match self.read {
            Read::Gauge(_) | Read::Gauges(..) => ConstGauge::<f64>::TYPE,
            Read::Counter(_) => ConstCounter::<u64>::TYPE,
        }
    }
}

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, self.kind())?;
        match &self.read {
            Read::Gauge(read) => ConstGauge::new(read()).encode(metric),
            Read::Counter(read) => ConstCounter::new(read()).encode(metric),
            Read::Gauges(label, read) => read().into_iter().try_for_each(|(value, number)| {
                let labels = [(*label, value)];
                ConstGauge::new(number).encode(metric.encode_family(&labels)?)
            }),
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
