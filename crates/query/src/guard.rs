//! What is refused by its size, before anything recursive sees it.
//!
//! The engine plans recursively: a chain of a few thousand operators ends the process, whatever its stack. So chains
//! and nesting are counted on the flat token list first, and exactly on the syntax tree after.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Select, Statement, Visit, Visitor};
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
    for (count, token) in written.enumerate() {
        if count >= MAX_TOKENS {
            return Err(too_complex(format!("the statement has more than {MAX_TOKENS} words and signs")));
        }
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

/// Refuses syntax trees deeper than 500 or of more than 10,000 nodes.
pub(crate) fn check_tree(statement: &Statement) -> Result<()> {
    match statement.visit(&mut Size::default()) {
        ControlFlow::Break(limit) => Err(too_complex(limit)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

#[derive(Default)]
struct Size {
    depth: usize,
    nodes: usize,
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

    fn pre_visit_select(&mut self, _: &Select) -> ControlFlow<String> {
        self.nodes += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<String> {
        self.enter()
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<String> {
        self.leave()
    }
}

fn too_complex(limit: String) -> Error {
    Error::TooComplex { limit }
}
