//! Pages: `pagelen`, `page`, `size`, `next`.

use serde_json::{Value, json};

use super::error;
use crate::http::{Answer, Request, percent_encode};
use crate::world::World;

/// The part of a list that a request asks for.
pub(crate) struct Page {
    pub(crate) length: usize,
    /// From 1.
    pub(crate) number: usize,
}

impl Page {
    /// Reads `pagelen`, at most `longest`, and `page`: a number, or the word that the fault `opaque_next` makes of it.
    pub(crate) fn asked(request: &Request, longest: usize) -> Result<Self, Answer> {
        let length = match request.parameter("pagelen") {
            None => 10,
            Some(text) => match text.parse() {
                Ok(length) if (1..=longest).contains(&length) => length,
                _ => return Err(error(400, "Invalid pagelen")),
            },
        };
        let number = match request.parameter("page") {
            None => 1,
            Some(text) => match text.trim_start_matches("after-").parse() {
                Ok(number) if number >= 1 => number,
                _ => return Err(error(400, "Invalid page")),
            },
        };
        Ok(Self { length, number })
    }

    /// The items on this page, each made into JSON only if it is on it.
    pub(crate) fn of<T>(
        &self,
        world: &World,
        request: &Request,
        items: &[T],
        shape: impl Fn(&T) -> Value,
    ) -> Result<Value, Answer> {
        let start = (self.number - 1).saturating_mul(self.length);
        if self.number > 1 && start >= items.len() {
            return Err(error(404, "Invalid page"));
        }
        let end = (start + self.length).min(items.len());
        let values: Vec<Value> = items[start..end].iter().map(shape).collect();
        let mut page =
            json!({"values": values, "pagelen": self.length, "size": items.len(), "page": self.number});
        if end < items.len() {
            page["next"] = self.link(world, request, self.number + 1).into();
        }
        if self.number > 1 {
            page["previous"] = self.link(world, request, self.number - 1).into();
        }
        Ok(page)
    }

    fn link(&self, world: &World, request: &Request, number: usize) -> String {
        let mut link = format!("{}{}?", world.web, request.path);
        for (name, value) in request.parameters().iter().filter(|(name, _)| name != "page") {
            link.push_str(&format!("{}={}&", percent_encode(name), percent_encode(value)));
        }
        link.push_str(&format!("page={number}"));
        link
    }
}
