// Two resources of Pulumi's own kind that do nothing: what its SDK takes for any dynamic resource.
import * as pulumi from "@pulumi/pulumi";

class Nothing extends pulumi.dynamic.Resource {
  constructor(name: string) {
    super({ create: () => Promise.resolve({ id: name }) }, name, {});
  }
}

new Nothing("one");
new Nothing("two");
