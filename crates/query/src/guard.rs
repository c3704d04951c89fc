//! What is refused by its size, before anything recursive sees it.
//!
//! The engine plans recursively: a chain of a few thousand operators ends the process, whatever its stack. So chains
//! and nesting are counted on the flat token list first, and exactly on the syntax tree after. Planning is
//! broken off between its steps only, so what makes it double with each level has bounds of its own.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, ObjectName, Query, Select, Statement, Visit, Visitor, visit_relations,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};

/// Deepest nesting of expressions and queries, and longest chain of set operations or joins.
const MAX_DEPTH: usize = 500;
/// Most expressions and queries in one statement.
const MAX_NODES: usize = 10_000;
/// Most tokens, white space apart: what 10,000 nodes can reasonably be written with.
const MAX_TOKENS: usize = 100_000;
/// Longest statement in bytes.
const MAX_BYTES: usize = 4 << 20;
/// Deepest nesting of what the engine plans twice at each level: 2^10 times the work of one are a second.
const MAX_DOUBLING: usize = 10;
/// Functions that the engine plans so: each asks its arguments what they are more than once.
const DOUBLING: [&str; 5] = ["coalesce", "ifnull", "map", "nvl", "row"];
/// Deepest nesting of calls and lists: the engine spells out the whole of each at each level of every step, in time with
/// the cube of the depth.
const MAX_CALLS: usize = 100;
/// Most tables that one SELECT joins: planning takes time with the cube of their number.
const MAX_JOINED: usize = 100;
/// Most tables that a query stands for once each name of a WITH is replaced by what it means.
const MAX_EXPANDED: usize = 1_000;
/// Longest name in bytes: an unknown one is compared with every name that there is, in time with the product of both.
const MAX_NAME: usize = 10_000;
/// Longest run of operators that is handed to the parser. The exact limit is on the tree; this one only keeps the
/// tree shallow enough to be walked and dropped.
const MAX_RUN: usize = 2_000;

/// Refuses a text that is too long to be tokenized.
pub(crate) fn check_length(sql: &str) -> Result<()> {
    if sql.len() > MAX_BYTES {
        return Err(too_complex("the statement is longer than 4 MiB".to_owned()));
    }
    Ok(())
}

/// Refuses token lists whose nesting or chains are too deep for the parser and the planner.
pub(crate) fn check_tokens(tokens: &[TokenWithSpan]) -> Result<()> {
    let written = tokens.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    let mut levels = vec![Level::default()];
    let mut before = &Token::EOF;
    for (count, token) in written.enumerate() {
        if count >= MAX_TOKENS {
            return Err(too_complex(format!("the statement has more than {MAX_TOKENS} words and signs")));
        }
        if let (Token::LBracket, Some(level)) = (token, levels.last_mut()) {
            level.index(*before == Token::RBracket)?;
        }
        before = token;
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => levels.push(Level::default()),
            Token::RParen | Token::RBracket | Token::RBrace if levels.len() > 1 => drop(levels.pop()),
            _ => levels.last_mut().map_or(Ok(()), |level| level.see(token))?,
        }
        if levels.len() > MAX_DEPTH + 1 {
            return Err(too_complex(format!("the statement nests deeper than {MAX_DEPTH}")));
        }
    }
    Ok(())
}

/// Counts within one pair of brackets.
#[derive(Default)]
struct Level {
    run: usize,
    set_operations: usize,
    joins: usize,
    open_cases: usize,
    /// `<` signs, which open the parameters of types as brackets do.
    opened: usize,
    /// The last keyword and how often it stands in a row, such as NOT NOT NOT: each is a level of the tree.
    repeated: (Option<Keyword>, usize),
    /// EXPLAIN and DESCRIBE, of which one is enough.
    explains: usize,
    /// Pairs of brackets one behind another, such as `INT[][]`: each is a level of a type or of a tree.
    indexes: usize,
}

impl Level {
    fn see(&mut self, token: &Token) -> Result<()> {
        self.count_repeats(token);
        match token {
            Token::Comma | Token::SemiColon => self.run = 0,
            Token::Lt => {
                self.opened += 1;
                self.run += 1;
            }
            Token::Word(word) if word.value.len() > MAX_NAME => {
                return Err(too_complex(format!("a name is longer than {MAX_NAME} bytes")));
            }
            Token::Word(word) if word.quote_style.is_none() => self.see_keyword(word.keyword),
            Token::Word(_) | Token::Number(..) | Token::Placeholder(_) | Token::SingleQuotedString(_) => {}
            _ => self.run += 1,
        }
        let longest = self.set_operations.max(self.joins).max(self.open_cases).max(self.repeated.1).max(self.opened);
        if self.explains > 1 {
            return Err(Error::Unsupported("EXPLAIN and DESCRIBE take a query, not one another".to_owned()));
        }
        if longest > MAX_DEPTH || self.run > MAX_RUN {
            return Err(too_complex(format!("the statement chains more than {MAX_DEPTH} operations")));
        }
        Ok(())
    }

    fn index(&mut self, again: bool) -> Result<()> {
        self.indexes = if again { self.indexes + 1 } else { 1 };
        if self.indexes > MAX_DEPTH {
            return Err(too_complex(format!("the statement chains more than {MAX_DEPTH} brackets")));
        }
        Ok(())
    }

    fn count_repeats(&mut self, token: &Token) {
        let keyword = match token {
            Token::Word(word) if word.quote_style.is_none() && word.keyword != Keyword::NoKeyword => Some(word.keyword),
            _ => None,
        };
        let again = keyword.is_some() && keyword == self.repeated.0;
        self.repeated = (keyword, if again { self.repeated.1 + 1 } else { 0 });
    }

    fn see_keyword(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => self.set_operations += 1,
            Keyword::JOIN => self.joins += 1,
            Keyword::EXPLAIN | Keyword::DESCRIBE => self.explains += 1,
            Keyword::CASE => self.open_cases += 1,
            Keyword::END => self.open_cases = self.open_cases.saturating_sub(1),
            Keyword::SELECT | Keyword::FROM | Keyword::WHERE | Keyword::GROUP | Keyword::ORDER | Keyword::HAVING => {
                self.run = 0;
            }
            Keyword::AND | Keyword::OR | Keyword::XOR | Keyword::NOT | Keyword::IS | Keyword::LIKE | Keyword::IN => {
                self.run += 1;
            }
            Keyword::DIV | Keyword::BETWEEN | Keyword::COLLATE | Keyword::AT | Keyword::PRIOR => self.run += 1,
            _ => {}
        }
    }
}

/// Refuses syntax trees deeper than 500, of more than 10,000 nodes, or that planning would be lost in.
pub(crate) fn check_tree(statement: &Statement) -> Result<()> {
    let broken = match statement.visit(&mut Size::default()) {
        ControlFlow::Continue(()) => statement.visit(&mut Expansion::default()),
        broken => broken,
    };
    broken.break_value().map_or(Ok(()), |limit| Err(too_complex(limit)))
}

#[derive(Default)]
struct Size {
    depth: usize,
    nodes: usize,
    doubling: usize,
    calls: usize,
}

impl Size {
    fn enter(&mut self) -> ControlFlow<String> {
        self.depth += 1;
        self.nodes += 1;
        if self.depth > MAX_DEPTH {
            return ControlFlow::Break(format!("the statement nests deeper than {MAX_DEPTH}"));
        }
        if self.nodes > MAX_NODES {
            return ControlFlow::Break(format!("the statement has more than {MAX_NODES} parts"));
        }
        ControlFlow::Continue(())
    }

    fn leave(&mut self) -> ControlFlow<String> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

impl Visitor for Size {
    type Break = String;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<String> {
        self.enter()
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<String> {
        self.leave()
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        self.nodes += 1;
        let joined: usize = select.from.iter().map(|table| 1 + table.joins.len()).sum();
        if joined > MAX_JOINED {
            return ControlFlow::Break(format!("one SELECT joins more than {MAX_JOINED} tables"));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        self.doubling += usize::from(doubles(expr));
        if self.doubling > MAX_DOUBLING {
            let what = "subqueries in expressions, and functions such as coalesce,";
            return ControlFlow::Break(format!("the statement nests {what} deeper than {MAX_DOUBLING}"));
        }
        self.calls += usize::from(calls(expr));
        if self.calls > MAX_CALLS {
            return ControlFlow::Break(format!("the statement nests calls and lists deeper than {MAX_CALLS}"));
        }
        self.enter()
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        self.doubling -= usize::from(doubles(expr));
        self.calls -= usize::from(calls(expr));
        self.leave()
    }
}

/// Whether planning this takes twice as long as planning what stands in it.
fn doubles(expr: &Expr) -> bool {
    match expr {
        Expr::Exists { .. } | Expr::InSubquery { .. } | Expr::Subquery(_) | Expr::Map(_) => true,
        Expr::Function(Function { name, .. }) => last(name).is_some_and(|name| DOUBLING.contains(&name.as_str())),
        _ => false,
    }
}

/// Whether this becomes a call of a function.
fn calls(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(_) | Expr::Array(_) | Expr::Struct { .. } | Expr::Dictionary(_) | Expr::Tuple(_))
}

/// The last part of a name, as the engine compares it.
fn last(name: &ObjectName) -> Option<String> {
    name.0.last()?.as_ident().map(|ident| ident.value.to_lowercase())
}

/// How many tables each name of a WITH stands for. A name that is given twice stands for what it meant last.
#[derive(Default)]
struct Expansion(HashMap<String, usize>);

impl Expansion {
    /// How many tables the names in a query stand for.
    fn of(&self, query: &Query) -> usize {
        let mut tables = 0_usize;
        // Nothing breaks the walk off.
        let _ = visit_relations(query, |name| {
            let meant = last(name).and_then(|name| self.0.get(&name).copied());
            tables = tables.saturating_add(meant.unwrap_or(1));
            ControlFlow::<()>::Continue(())
        });
        tables
    }
}

impl Visitor for Expansion {
    type Break = String;

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let Some(with) = &query.with else { return ControlFlow::Continue(()) };
        for table in &with.cte_tables {
            let tables = self.of(&table.query);
            self.0.insert(table.alias.name.value.to_lowercase(), tables.max(1));
        }
        if self.of(query) > MAX_EXPANDED {
            return ControlFlow::Break(format!("the names of WITH stand for more than {MAX_EXPANDED} tables"));
        }
        ControlFlow::Continue(())
    }
}

fn too_complex(limit: String) -> Error {
    Error::TooComplex { limit }
}
