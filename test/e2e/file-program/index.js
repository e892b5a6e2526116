const pulumi = require("@pulumi/pulumi");
const { FileRoom } = require("pulumi-sluice");

// What is declared comes from the stack's configuration: resources by name, each with properties and options.
const config = new pulumi.Config();
const password = config.getSecret("password");
const made = {};
for (const [name, { after, ...args }] of Object.entries(config.requireObject("files"))) {
  const options = args.options ?? {};
  delete args.options;
  // `after`: the text is the label of an earlier one, which a preview does not know before that one is made.
  if (after !== undefined) args.text = made[after].count;
  made[name] = new FileRoom(name, { host: "local", password, ...args }, options);
}
