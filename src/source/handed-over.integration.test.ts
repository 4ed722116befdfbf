import { chownSync, cpSync, lstatSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createSourceFixture, treeDifferences } from "../../test/support/git-source.ts";

const OTHER = 54_321;

test.skipIf(process.getuid?.() !== 0)(
  "what a build's user was given is not written again, unless it differs",
  async () => {
    await using fixture = await createSourceFixture();
    const { repository, workspace } = fixture;
    const one = repository.commit({
      ".gitattributes": "# no rules\n",
      "other-words.txt": "abc",
      "same.txt": "same",
      "dir/same.txt": "same",
      "changed.txt": "before",
      "spoilt.txt": "right",
    });
    const two = repository.commit({ "changed.txt": "after" });
    await fixture.checkOut(one);
    for (const name of [".", ...readdirSync(workspace, { recursive: true, encoding: "utf8" })])
      chownSync(join(workspace, name), OTHER, OTHER);
    writeFileSync(join(workspace, "spoilt.txt"), "wrong"); // as long as what belongs there
    writeFileSync(join(workspace, ".gitattributes"), "* working-tree-encoding=IBM037\n");
    writeFileSync(join(workspace, "other-words.txt"), Buffer.from([0x81, 0x82, 0x83])); // abc, says that rule
    await fixture.checkOut(two);
    expect(treeDifferences(repository, two, workspace)).toEqual([]);
    const ownerOf = (name: string): number => lstatSync(join(workspace, name)).uid;
    expect(["same.txt", "dir/same.txt"].map(ownerOf)).toEqual([OTHER, OTHER]);
    expect(["changed.txt", "spoilt.txt", "other-words.txt"].map(ownerOf)).toEqual([0, 0, 0]);
  },
);

test("a copy of a workspace is compared, not written again, unless it differs", async () => {
  await using fixture = await createSourceFixture();
  const { repository, workspace, folder, source } = fixture;
  const one = repository.commit({ "same.txt": "same", "spoilt.txt": "right", "removed.txt": "1" });
  const two = repository.commit({ "removed.txt": null });
  const fresh = join(folder, "fresh");
  await fixture.checkOut(one, { workspace: fresh });
  cpSync(fresh, join(folder, "copy"), { recursive: true, preserveTimestamps: true });
  rmSync(fresh, { recursive: true });
  await source.follow(fresh, workspace);
  await source.follow(fresh, workspace);
  renameSync(join(folder, "copy"), workspace);
  writeFileSync(join(workspace, "spoilt.txt"), "wrong");
  const inode = lstatSync(join(workspace, "same.txt")).ino;
  await fixture.checkOut(two);
  expect(treeDifferences(repository, two, workspace)).toEqual([]);
  expect(lstatSync(join(workspace, "same.txt")).ino).toBe(inode);
  expect(readdirSync(workspace)).toEqual(["same.txt", "spoilt.txt"]);
  await source.follow(workspace, null);
  expect(readdirSync(folder).filter((name) => name.endsWith("-state"))).toEqual([]);
});
