"""S3 as people use it from a shell: s3cmd, rclone and s3fs, with their own ways of signing and
listing.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import RegionTest, eventually


class S3ClientsParity(RegionTest):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.tree = self.folder / "tree"
        (self.tree / "deep").mkdir(parents=True)
        (self.tree / "a b+c.txt").write_bytes(b"small")
        (self.tree / "deep/ü.bin").write_bytes(os.urandom(12 * 1024 * 1024))
        self.address = f"127.0.0.1:{self.region.port}"

    def run_client(self, *command):
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, env=environment, text=True, capture_output=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        return done.stdout

    def same_trees(self, other):
        for file in (p for p in self.tree.rglob("*") if p.is_file()):
            self.assertEqual((other / file.relative_to(self.tree)).read_bytes(),
                             file.read_bytes())

    def test_s3cmd_syncs_both_ways_and_removes(self):
        settings = self.folder / "s3cmd.cfg"
        # It signs for the region "US" until it is told the right one.
        settings.write_text(
            "[default]\naccess_key = test\nsecret_key = test\nuse_https = False\n"
            f"host_base = {self.address}\nhost_bucket = {self.address}\n"
            "multipart_chunk_size_mb = 5\n")
        s3cmd = ("s3cmd", "-c", str(settings), "--no-progress")
        self.run_client(*s3cmd, "mb", "s3://cmd-bucket")
        self.run_client(*s3cmd, "sync", f"{self.tree}/", "s3://cmd-bucket/in/")
        self.assertNotIn("upload:", self.run_client(*s3cmd, "sync", f"{self.tree}/",
                                                    "s3://cmd-bucket/in/"))
        back = self.folder / "back"
        back.mkdir()
        self.run_client(*s3cmd, "sync", "s3://cmd-bucket/in/", f"{back}/")
        self.same_trees(back)
        self.run_client(*s3cmd, "mv", "s3://cmd-bucket/in/a b+c.txt", "s3://cmd-bucket/x y")
        self.assertIn("s3://cmd-bucket/x y", self.run_client(*s3cmd, "ls", "s3://cmd-bucket"))
        self.run_client(*s3cmd, "del", "--recursive", "--force", "s3://cmd-bucket/")
        self.run_client(*s3cmd, "rb", "s3://cmd-bucket")

    def test_rclone_syncs_checks_and_purges(self):
        settings = self.folder / "rclone.conf"
        settings.write_text("[t]\ntype = s3\nprovider = Other\naccess_key_id = test\n"
                            "secret_access_key = test\nregion = us-east-1\n"
                            f"endpoint = http://{self.address}\n")
        rclone = ("rclone", "--config", str(settings), "--retries", "1")
        self.run_client(*rclone, "sync", str(self.tree), "t:clone/in", "--s3-upload-cutoff", "5M",
                        "--s3-chunk-size", "5M")
        self.run_client(*rclone, "check", str(self.tree), "t:clone/in", "--download")
        back = self.folder / "back"
        self.run_client(*rclone, "copy", "t:clone/in", str(back))
        self.same_trees(back)
        self.run_client(*rclone, "moveto", "t:clone/in/a b+c.txt", "t:clone/x y")
        self.assertIn("x y", self.run_client(*rclone, "ls", "t:clone"))
        self.run_client(*rclone, "purge", "t:clone")

    @unittest.skipUnless(os.access("/dev/fuse", os.R_OK | os.W_OK), "/dev/fuse is out of reach")
    def test_s3fs_shows_a_bucket_as_a_folder(self):
        s3 = self.region.client("s3")
        s3.create_bucket(Bucket="mounted-bucket")
        s3.put_object(Bucket="mounted-bucket", Key="there/before.txt", Body=b"already")
        passwords = self.folder / "s3fs.passwd"
        passwords.write_text("test:test")
        passwords.chmod(0o600)
        place = self.folder / "mount"
        place.mkdir()
        mounter = subprocess.Popen(
            ["s3fs", "mounted-bucket", str(place), "-f", "-o", f"url=http://{self.address}",
             "-o", "use_path_request_style", "-o", f"passwd_file={passwords}",
             "-o", "multipart_size=5"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.unmount, place, mounter)
        eventually(lambda: mounter.poll() is not None or place.is_mount(), 20, "nothing mounted")
        self.assertIsNone(mounter.returncode, "s3fs gave up")
        self.assertEqual((place / "there/before.txt").read_bytes(), b"already")
        shutil.copytree(self.tree, place / "in")
        self.same_trees(place / "in")
        (place / "in/a b+c.txt").rename(place / "moved.txt")
        shutil.rmtree(place / "in/deep")
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="mounted-bucket")["Contents"]]
        self.assertEqual(keys, ["in/", "moved.txt", "there/before.txt"])
        self.assertEqual(s3.get_object(Bucket="mounted-bucket", Key="moved.txt")["Body"].read(),
                         b"small")

    @staticmethod
    def unmount(place, mounter):
        if subprocess.run(["fusermount", "-u", str(place)], check=False).returncode != 0:
            subprocess.run(["fusermount", "-uz", str(place)], check=False)
        try:
            mounter.wait(20)
        except subprocess.TimeoutExpired:
            mounter.kill()
            mounter.wait(10)


if __name__ == "__main__":
    unittest.main()
