//! `a IS DISTINCT FROM b AND c` means `(a IS DISTINCT FROM b) AND c`.
//!
//! The parser (sqlparser 0.62) takes all that follows FROM for the operand, AND included. So where AND or OR follows,
//! the words are replaced by operators that bind as comparisons do, and put back in the tree.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Statement, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};

/// Stands for IS DISTINCT FROM between tokens and tree; nobody else may write it.
const DISTINCT: Token = Token::ExclamationMarkDoubleTildeAsterisk;
/// Stands for IS NOT DISTINCT FROM, which it means for those who write it.
const NOT_DISTINCT: Token = Token::Spaceship;

/// The tokens with operators in place of every IS [NOT] DISTINCT FROM that goes on with AND or OR.
pub(crate) fn as_operators(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    if tokens.iter().any(|token| token.token == DISTINCT) {
        return Err(Error::Unsupported("write NOT ILIKE instead of the operator !~~*".to_owned()));
    }
    let mut replaced: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        replaced.push(token.clone());
        if let Some((start, operator)) = comparison(&replaced)
            && goes_on(&tokens[at + 1..])?
        {
            let span = replaced[start].span;
            replaced.truncate(start);
            replaced.push(TokenWithSpan { token: operator, span });
        }
    }
    Ok(replaced)
}

/// Where IS [NOT] DISTINCT FROM begins, when these are the last words, and its operator.
fn comparison(tokens: &[TokenWithSpan]) -> Option<(usize, Token)> {
    if tokens.last().and_then(keyword) != Some(Keyword::FROM) {
        return None;
    }
    let written = tokens.iter().enumerate().rev().filter(|(_, token)| !matches!(token.token, Token::Whitespace(_)));
    let last: Vec<(usize, Option<Keyword>)> = written.take(4).map(|(at, token)| (at, keyword(token))).collect();
    match last.as_slice() {
        [_, (_, Some(Keyword::DISTINCT)), (at, Some(Keyword::IS)), ..] => Some((*at, DISTINCT)),
        [_, (_, Some(Keyword::DISTINCT)), (_, Some(Keyword::NOT)), (at, Some(Keyword::IS))] => {
            Some((*at, NOT_DISTINCT))
        }
        _ => None,
    }
}

/// The tree with the comparisons that the operators stand for.
pub(crate) fn as_comparisons(statement: &mut Statement) {
    // Nothing breaks the walk off.
    let _ = statement.visit(&mut Comparisons);
}

struct Comparisons;

impl VisitorMut for Comparisons {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::BinaryOp { left, op: BinaryOperator::PGNotILikeMatch, right } = expr {
            *expr = Expr::IsDistinctFrom(left.clone(), right.clone());
        } else if let Expr::BinaryOp { left, op: BinaryOperator::Spaceship, right } = expr {
            *expr = Expr::IsNotDistinctFrom(left.clone(), right.clone());
        }
        ControlFlow::Continue(())
    }
}

/// Whether AND or OR follows the operand; an error where the operand compares by itself, which reads two ways.
fn goes_on(tokens: &[TokenWithSpan]) -> Result<bool> {
    let mut depth = 0_usize;
    let mut compares = false;
    for token in tokens {
        match (&token.token, keyword(token)) {
            (Token::LParen | Token::LBracket | Token::LBrace, _) | (_, Some(Keyword::CASE)) => depth += 1,
            (Token::RParen | Token::RBracket | Token::RBrace, _) | (_, Some(Keyword::END)) => {
                let Some(outer) = depth.checked_sub(1) else { return Ok(false) };
                depth = outer;
            }
            (_, Some(Keyword::AND | Keyword::OR | Keyword::XOR)) if depth == 0 && compares => {
                let text = "IS DISTINCT FROM followed by another comparison reads two ways: put brackets around it";
                return Err(Error::Invalid(text.to_owned()));
            }
            (_, Some(Keyword::AND | Keyword::OR | Keyword::XOR)) if depth == 0 => return Ok(true),
            (Token::Comma | Token::SemiColon, _) if depth == 0 => return Ok(false),
            (_, Some(word)) if depth == 0 && ENDING.contains(&word) => return Ok(false),
            (Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq, _) if depth == 0 => {
                compares = true;
            }
            (_, Some(Keyword::BETWEEN | Keyword::IN | Keyword::IS | Keyword::LIKE)) if depth == 0 => compares = true,
            _ => {}
        }
    }
    Ok(false)
}

fn keyword(token: &TokenWithSpan) -> Option<Keyword> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

/// Keywords that end a condition without continuing it.
const ENDING: &[Keyword] = &[
    Keyword::AS,
    Keyword::CROSS,
    Keyword::ELSE,
    Keyword::EXCEPT,
    Keyword::FROM,
    Keyword::FULL,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::INNER,
    Keyword::INTERSECT,
    Keyword::JOIN,
    Keyword::LEFT,
    Keyword::LIMIT,
    Keyword::NATURAL,
    Keyword::OFFSET,
    Keyword::ORDER,
    Keyword::QUALIFY,
    Keyword::RIGHT,
    Keyword::THEN,
    Keyword::UNION,
    Keyword::WHEN,
    Keyword::WHERE,
    Keyword::WINDOW,
];
