#!/usr/bin/env bash
# Adds a function to a copy of the project, as docs/architecture.md says under "Adding a function". Before it is in the places
# of the checklist the house rules have to name each of them; then the tests have to pass.
#   tests/scaffold.sh                  make test
#   tests/scaffold.sh COMMAND...       another command, in the copy
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
copy=$PWD/target/scaffold
rm -rf "$copy"
mkdir -p "$copy"
# One of the copies' own, kept from one run to the next.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/scaffolded}
git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$copy"
cd "$copy"

# before LINE FILE: puts what comes on stdin before the first line that is so.
before() {
  local text
  text=$(cat) || return
  TEXT=$text LINE=$1 awk '!done && $0 == ENVIRON["LINE"] { print ENVIRON["TEXT"]; done = 1 } { print } END { exit !done }' \
    "$2" >"$2.new" || { echo "$2 has no line $1" >&2; exit 1; }
  mv "$2.new" "$2"
}

mkdir -p functions/night-watch/src events/night-watch
sed -e 's/^name = .*/name = "night-watch"/' -e '/^\[features\]/,$d' functions/enrichment/Cargo.toml >functions/night-watch/Cargo.toml
cat >>functions/night-watch/Cargo.toml <<'END'
[dependencies]
lambda.workspace = true
runtime.workspace = true
tracing.workspace = true
END
sed 's/enrichment/night_watch/' functions/enrichment/src/main.rs >functions/night-watch/src/main.rs
cat >functions/night-watch/src/lib.rs <<'END'
//! Every hour: says that all is well.

use lambda::{Error, Tick};
use runtime::{Clock, ConfigError, Vars};

#[derive(Debug, Clone)]
pub struct Function;

impl lambda::Function for Function {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Event = Tick;

    fn from_vars(_vars: &Vars, _clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    async fn handle(&self, _tick: Tick) -> Result<(), Error> {
        tracing::info!("all is well");
        Ok(())
    }
}
END
cat >events/night-watch/hour.json <<'END'
{
  "version": "0",
  "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  "source": "aws.events",
  "account": "123456789012",
  "time": "2026-01-31T18:00:00Z",
  "region": "eu-west-1",
  "resources": ["arn:aws:events:eu-west-1:123456789012:rule/joiner-dev-NightWatchHour"],
  "detail": {}
}
END
echo 'hour: null' >events/night-watch/answers.yaml

echo "A function that nobody was told of:"
if cargo test --quiet --package scenarios --no-default-features --test tidy >tidy.log 2>&1; then
  echo "The house rules don't miss it." >&2
  exit 1
fi
for place in Cargo.toml infra/local/Cargo.toml infra/local/src/registry.rs template.yaml docs/architecture.md; do
  grep -F "night-watch: " tidy.log | grep -F "\`$place\`:" || { cat tidy.log; echo "Nobody asks for $place." >&2; exit 1; }
done

before 'enrichment = { path = "functions/enrichment", default-features = false }' Cargo.toml <<'END'
night-watch = { path = "functions/night-watch", default-features = false }
END
before 'okta = { workspace = true, features = ["fake"] }' infra/local/Cargo.toml <<'END'
night-watch.workspace = true
END
before '    linked::<user_query::Function>(),' infra/local/src/registry.rs <<'END'
    linked::<night_watch::Function>(),
END
before '  DlqReprocessorBase:' template.yaml <<'END'
  NightWatchBase:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: infra/function.yaml
      Parameters:
        Stage: !Ref Stage
        Name: night-watch
        KmsKeyArn: !GetAtt Key.Arn
        LogRetentionDays: !Ref LogRetentionDays
        AlarmTopicArn: !Ref AlarmTopicArn
        PermissionsBoundaryArn: !Ref PermissionsBoundaryArn
  NightWatch:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: night-watch } }
    Properties:
      FunctionName: !Sub joiner-${Stage}-night-watch
      Role: !GetAtt NightWatchBase.Outputs.RoleArn
      LoggingConfig: { LogGroup: !GetAtt NightWatchBase.Outputs.LogGroup }
      DeploymentPreference: { Enabled: false }
      Environment: { Variables: {} }
      Events:
        Hour: { Type: Schedule, Properties: { Schedule: rate(1 hour) } }

END
before 'shared/               features:      onboarding, dlq' docs/architecture.md <<'END'
  night-watch         every hour -> says that all is well
END

echo "The same one, in its places:"
if [ $# -eq 0 ]; then
  set -- make test
fi
"$@"
