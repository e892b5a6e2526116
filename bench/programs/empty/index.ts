// Nothing: what Pulumi itself takes, with the same package loaded.
import "pulumi-sluice";
