import { describeRoom } from "./room-contract";
import { everyRoom } from "./samples";

describe.each(everyRoom.map((sample) => [sample.room.kind, sample] as const))("%s", (_kind, sample) => {
  describeRoom(sample);
});
