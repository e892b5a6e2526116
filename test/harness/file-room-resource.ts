import type * as pulumi from "@pulumi/pulumi";
import { SluiceResource, type Inputs } from "../../provider/pulumi/resource";
import { fileRoom, type FileRoomArgs } from "./file-room";

/** The class of the file room, as resources/index.ts offers those of the real ones. */
export class FileRoom extends SluiceResource {
  declare readonly directory: pulumi.Output<string>;
  declare readonly text: pulumi.Output<string>;
  declare readonly password: pulumi.Output<string | undefined>;
  declare readonly host: pulumi.Output<unknown>;
  declare readonly access: pulumi.Output<unknown>;
  declare readonly label: pulumi.Output<string>;
  declare readonly count: pulumi.Output<string>;

  constructor(name: string, args: Inputs<FileRoomArgs>, opts?: pulumi.CustomResourceOptions) {
    super("FileRoom", fileRoom.schema, name, args, opts);
  }
}
