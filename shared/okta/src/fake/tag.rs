//! People beyond those of the company: each is one of them, with a tag in id, login and address.

use super::Person;

impl Person {
    /// The `tag`-th person like this one.
    #[must_use]
    pub fn tagged(&self, tag: usize) -> Self {
        let tag = tag.to_string();
        Self {
            id: with(&self.id, &tag),
            login: with(&self.login, &tag),
            email: with(&self.email, &tag),
            ..self.clone()
        }
    }
}

/// An id, login or address without its tag, and the tag.
pub(super) fn apart(tagged: &str) -> Option<(String, usize)> {
    let (name, rest) = tagged.split_once('+')?;
    let (tag, domain) = rest.find('@').map_or((rest, ""), |at| rest.split_at(at));
    Some((format!("{name}{domain}"), tag.parse().ok()?))
}

fn with(plain: &str, tag: &str) -> String {
    match plain.split_once('@') {
        Some((name, domain)) => format!("{name}+{tag}@{domain}"),
        None => format!("{plain}+{tag}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_comes_off_as_it_went_on() {
        for plain in ["00u1", "ada@acme.example"] {
            assert_eq!(apart(&with(plain, "7")), Some((plain.to_owned(), 7)));
            assert_eq!(apart(plain), None);
        }
    }
}
