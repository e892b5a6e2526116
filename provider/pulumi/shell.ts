/**
 * What Pulumi stores as `__provider` and evaluates in its provider process: constant, free of secrets and of our code, so that
 * an upgrade shows no diff and old states are served by the installed version. Part of the state format: never change it.
 */
export const shell = (kind: string): string =>
  `exports.handler = () => require("pulumi-sluice/dynamic").provider(${JSON.stringify(kind)});`;

export const typeToken = (kind: string): string => `pulumi-nodejs:dynamic/sluice:${kind}`;
