// template.yaml as a part of a CDK app: the same template, and what is one's own beside it. README.md has the commands.
import { App, Stack, Tags, aws_iam as iam, aws_sns as sns, aws_sns_subscriptions as subscriptions } from "aws-cdk-lib";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";

class JoinerStack extends Stack {
  constructor(scope, id, { stage, template, mail, parameters, ...props }) {
    super(scope, id, props);
    // One's own: alarms tell people by mail. The topic is made with them, where SAM takes the ARN of one.
    const alarms = new sns.Topic(this, "Alarms", { displayName: `Joiner ${stage}`, enforceSSL: true });
    // enforceSSL makes a policy, in place of the one by which CloudWatch may.
    alarms.grantPublish(new iam.ServicePrincipal("cloudwatch.amazonaws.com"));
    alarms.addSubscription(new subscriptions.EmailSubscription(mail));
    this.joiner = new CfnInclude(this, "Joiner", {
      templateFile: template,
      preserveLogicalIds: true,
      parameters: { Stage: stage, AlarmTopicArn: alarms.topicArn, ...parameters },
    });
  }
}

const app = new App({ outdir: process.env.CDK_OUTDIR });
const stage = app.node.tryGetContext("stage") ?? process.env.STAGE ?? "dev";
const stack = new JoinerStack(app, `joiner-${stage}`, {
  stage,
  template: process.env.TEMPLATE,
  mail: process.env.ALARM_MAIL ?? "alarms@example.com",
  parameters: { OktaOrgUrl: process.env.OKTA_ORG_URL ?? "https://example.okta.com" },
});
Tags.of(stack).add("app", "joiner");
app.synth();
