"""Runs javascript/parity.js, with the newest SDK that npm has, against a region."""
import os
import pathlib
import shutil
import subprocess
import unittest

from harness import BUILD, RegionTest

SOURCE = pathlib.Path(__file__).resolve().parent / "javascript"


class JavaScriptParity(RegionTest):
    def test_the_newest_javascript_sdk(self):
        folder = BUILD / "javascript-parity"
        folder.mkdir(exist_ok=True)
        for name in ("package.json", "parity.js"):
            shutil.copy(SOURCE / name, folder / name)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent",
                        "--no-package-lock"], cwd=folder, check=True, timeout=300)
        environment = {**os.environ, "AWS_ENDPOINT_URL": self.region.endpoint,
                       "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                       "AWS_REGION": "us-east-1"}
        done = subprocess.run(["node", "--test", "parity.js"], cwd=folder, env=environment,
                              text=True, capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
