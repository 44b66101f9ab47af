//! The curl commands that `joiner dev` prints, done without curl.

use std::iter::Peekable;

use reqwest::RequestBuilder;

/// The commands among the lines, with their continuations, as requests.
pub(crate) fn requests(http: &reqwest::Client, lines: &[String], key: &str) -> Vec<RequestBuilder> {
    let text = lines.join("\n").replace("\\\n", " ").replace("$API_KEY", key);
    let commands = text.lines().map(words).filter(|words| words.first().is_some_and(|word| word == "curl"));
    commands.map(|words| request(http, words)).collect()
}

fn request(http: &reqwest::Client, words: Vec<String>) -> RequestBuilder {
    let (mut url, mut headers, mut body) = (None, Vec::new(), None);
    let mut words = words.into_iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // Shows the answer's head.
            "-i" => {}
            "-H" => headers.push(words.next().expect("-H is followed by a header")),
            "-d" => body = words.next(),
            address if address.starts_with("http://") => url = Some(word),
            other => panic!("curl's {other} is not known here"),
        }
    }
    let url = url.expect("a URL is what curl is about");
    let request = match body {
        Some(body) => http.post(url).body(body),
        None => http.get(url),
    };
    headers.iter().fold(request, |request, header| {
        let (name, value) = header.split_once(": ").expect("a header is a name and a value");
        request.header(name, value)
    })
}

/// The line's words, as a shell reads them: quotes of both kinds group and go away.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    while skip_blanks(&mut rest) {
        let mut word = String::new();
        while let Some(char) = rest.next_if(|char| !char.is_whitespace()) {
            match char {
                '\'' | '"' => word.extend(rest.by_ref().take_while(|other| *other != char)),
                plain => word.push(plain),
            }
        }
        words.push(word);
    }
    words
}

/// Says whether anything is left.
fn skip_blanks(rest: &mut Peekable<std::str::Chars<'_>>) -> bool {
    while rest.next_if(|char| char.is_whitespace()).is_some() {}
    rest.peek().is_some()
}
