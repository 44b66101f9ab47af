/// Every route of the API, whichever function has it: a line for each, such as "GET /v1/users/{id}", with " open" after it
/// where it needs no key. Whoever takes the requests that no route takes tells by it a wrong method from an unknown path.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paths(pub(crate) &'static str);

/// What a path has, which no route took with the method that was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) methods: Vec<&'static str>,
    pub(crate) is_open: bool,
}

impl Known {
    pub(crate) fn add(&mut self, method: &'static str, is_open: bool) {
        self.methods.push(method);
        self.is_open |= is_open;
    }
}

impl Paths {
    /// Of two routes that fit what was asked for, API Gateway takes either, by the method.
    pub(crate) fn known(self, asked: &str) -> Known {
        let mut known = Known::default();
        for line in self.0.lines() {
            let mut words = line.split(' ');
            if let (Some(method), Some(path)) = (words.next(), words.next())
                && fits(path, asked)
            {
                known.add(method, words.next() == Some("open"));
            }
        }
        known
    }
}

fn fits(path: &str, asked: &str) -> bool {
    let (segments, asked) = (path.split('/'), asked.split('/'));
    segments.clone().count() == asked.clone().count()
        && segments.zip(asked).all(|(segment, asked)| segment.starts_with('{') || segment == asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_methods_of_each_route_that_fits_it() {
        let paths =
            Paths("DELETE /v1/users/{id}\nGET /v1/users/healthz open\nGET /v1/users/{id}\nPOST /v1/jobs\n");
        for (asked, methods) in [
            ("/v1/users/E1", &["DELETE", "GET"][..]),
            ("/v1/users/healthz", &["DELETE", "GET", "GET"]),
            ("/v1/jobs", &["POST"]),
            ("/v1/jobs/", &[]),
            ("/v1/users", &[]),
            ("/v1/users/E1/x", &[]),
            ("/", &[]),
        ] {
            let is_open = asked.ends_with("healthz");
            assert_eq!(paths.known(asked), Known { methods: methods.to_vec(), is_open }, "{asked}");
        }
        assert_eq!(Paths::default().known("/v1/users"), Known::default());
    }
}
