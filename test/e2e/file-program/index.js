const pulumi = require("@pulumi/pulumi");
const { FileRoom } = require("pulumi-sluice");

// What is declared comes from the stack's configuration: resources by name, each with properties and options.
const config = new pulumi.Config();
const password = config.getSecret("password");
const made = {};
const components = {};

// `shop/till`: a component till inside a component shop. Each is made once.
function component(path) {
  const names = path.split("/");
  const parent = names.length > 1 ? component(names.slice(0, -1).join("/")) : undefined;
  components[path] ??= new pulumi.ComponentResource("test:index:Group", names.join("-"), {}, { parent, ...provider() });
  return components[path];
}

// `ownProvider`: the components hand a provider of their own to what they hold.
let explicit;
function provider() {
  if (!config.getBoolean("ownProvider")) return {};
  explicit ??= new pulumi.ProviderResource("pulumi-nodejs", "own", {});
  return { providers: [explicit] };
}

for (const [name, { after, within, waitsFor, ...args }] of Object.entries(config.requireObject("files"))) {
  const options = args.options ?? {};
  delete args.options;
  // `after`: the text is the label of an earlier one, which a preview does not know before that one is made.
  if (after !== undefined) args.text = made[after].count;
  if (within !== undefined) options.parent = component(within);
  if (waitsFor !== undefined) options.dependsOn = made[waitsFor] ?? components[waitsFor];
  made[name] = new FileRoom(name, { host: "local", password, ...args }, options);
}
