use datafusion::logical_expr::{LogicalPlanBuilder, lit};
use datafusion::optimizer::OptimizerContext;

use super::*;

fn plan() -> LogicalPlan {
    LogicalPlanBuilder::values(vec![vec![lit(1)]]).unwrap().build().unwrap()
}

/// Settings of a query for which nobody waits any more, or somebody does.
fn settings(is_over: bool) -> ConfigOptions {
    let pace = Pace::default();
    if is_over {
        pace.end();
    }
    let mut settings = ConfigOptions::new();
    settings.extensions.insert(pace);
    settings
}

#[test]
fn what_nobody_waits_for_is_not_planned_on() {
    let nothing = |settings: &ConfigOptions| {
        let analyzer = Analyzer::with_rules(analysis(Vec::new()));
        analyzer.execute_and_check(plan(), settings, |_, _| {}).map(drop)
    };
    nothing(&settings(false)).unwrap();
    let refused = nothing(&settings(true)).unwrap_err();
    assert!(refused.to_string().contains("cancelled"), "{refused}");
}

#[test]
fn every_rule_of_the_optimizer_looks_up() {
    let rules = optimization();
    assert_eq!(rules.len(), Optimizer::new().rules.len());
    let over = OptimizerContext::new_with_config_options(Arc::new(settings(true)));
    for rule in rules {
        let refused = rule.rewrite(plan(), &over).unwrap_err();
        assert!(refused.to_string().contains("cancelled"), "{}: {refused}", rule.name());
    }
}
