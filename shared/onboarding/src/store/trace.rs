//! What a trace shows of a store.

use tracing::{Instrument, Span, field::Empty};

use super::{Error, Store};

#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    ReadPerson,
    ReadEntry,
    ReadClaim,
    ReadHistory,
    ListPeople,
    WritePerson,
    AcceptRequest,
    EndRequest,
    ReadRequest,
}

/// The operation as a part of its trace.
pub(super) async fn operation<T>(
    store: &Store,
    operation: Operation,
    running: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let span = operation.span(store);
    let result = running.instrument(span.clone()).await;
    if result.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    result
}

impl Operation {
    /// <https://opentelemetry.io/docs/specs/semconv/database/dynamodb/>
    fn span(self, store: &Store) -> Span {
        let (system, operation) = match store {
            Store::DynamoDb(_) => ("aws.dynamodb", self.in_dynamodb()),
            Store::Redis(_) => ("redis", self.in_redis()),
            Store::Memory(_) => return Span::none(),
        };
        tracing::info_span!(
            "store",
            otel.kind = "client",
            otel.name = format!("{operation} {}", self.collection()),
            otel.status_code = Empty,
            db.system.name = system,
            db.operation.name = operation,
            db.collection.name = self.collection(),
        )
    }

    /// As the variable of the table names it. A person is written with entry, claims and facts.
    const fn collection(self) -> &'static str {
        match self {
            Self::ReadPerson | Self::ListPeople | Self::WritePerson => "users",
            Self::ReadEntry | Self::ReadClaim | Self::ReadHistory => "history",
            Self::AcceptRequest | Self::EndRequest | Self::ReadRequest => "requests",
        }
    }

    const fn in_dynamodb(self) -> &'static str {
        match self {
            Self::ReadPerson | Self::ReadEntry | Self::ReadClaim => "GetItem",
            // All of them, where there is no filter, by scans.
            Self::ReadHistory | Self::ListPeople | Self::ReadRequest => "Query",
            Self::AcceptRequest => "PutItem",
            Self::WritePerson | Self::EndRequest => "TransactWriteItems",
        }
    }

    const fn in_redis(self) -> &'static str {
        match self {
            Self::ReadPerson | Self::ReadEntry | Self::ReadClaim => "HGET",
            Self::ReadHistory => "ZREVRANGEBYSCORE",
            Self::ListPeople => "ZRANGEBYLEX",
            Self::ReadRequest => "HSCAN",
            Self::WritePerson | Self::AcceptRequest | Self::EndRequest => "EVALSHA",
        }
    }
}
