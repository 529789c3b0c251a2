"""Tests of the generator: names, merging, what a service is cut down to. Run by CTest."""

import json
import pathlib
import tempfile
import unittest

import emit
import model
from names import pascal, snake

MODEL = {
    "metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "toy", "protocol": "query"},
    "operations": {
        "PutThing": {
            "name": "PutThing",
            "input": {"shape": "PutThingRequest"},
            "errors": [{"shape": "TooMany"}],
        },
        "Other": {"name": "Other", "input": {"shape": "OtherRequest"}},
    },
    "shapes": {
        "PutThingRequest": {
            "type": "structure",
            "required": ["Name"],
            "members": {"Name": {"shape": "Text"}, "Parts": {"shape": "Parts"}},
        },
        "OtherRequest": {"type": "structure", "members": {}},
        "Text": {"type": "string", "min": 1},
        "Parts": {"type": "list", "member": {"shape": "Part"}},
        "Part": {
            "type": "structure",
            "members": {"Inner": {"shape": "Part"}, "Parts": {"shape": "Parts"}},
        },
        "TooMany": {"type": "structure", "members": {}, "error": {"httpStatusCode": 429}},
    },
}


EC2 = {
    "metadata": {"protocol": "ec2"},
    "shapes": {
        "PutThingRequest": {
            "members": {
                "Name": {"locationName": "name"},
                "Parts": {"locationName": "partSet", "queryName": "Part"},
                "Plain": {"shape": "Text"},
            }
        },
        "Text": {"enum": ["a", "b"]},
    },
    "errors": {"InvalidThingID.NotFound": 400},
}


def load(operations, amendments=None):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        version = root / "models" / "toy" / "2020-01-01"
        version.mkdir(parents=True)
        (version / "service-2.json").write_text(json.dumps(MODEL))
        (root / "operations.txt").write_text(operations)
        if amendments is not None:
            (root / "amendments.json").write_text(json.dumps(amendments))
        return model.load("toy", root, root / "models")


class Names(unittest.TestCase):
    def test_acronyms_stay_words(self):
        for name, expected in {
            "QueueUrl": "queue_url",
            "MD5OfBody": "md5_of_body",
            "SSEKMSKeyId": "sse_kms_key_id",
            "SSECustomerKeyMD5": "sse_customer_key_md5",
            "ETag": "etag",
            "ChecksumCRC32C": "checksum_crc32c",
            "ChecksumCRC64NVME": "checksum_crc64nvme",
            "KMSMasterKeyId": "kms_master_key_id",
            "VersionIdMarker": "version_id_marker",
            "ListObjectsV2": "list_objects_v2",
            "logGroupName": "log_group_name",
            "CodeSha256": "code_sha256",
            "Delete": "delete_",
        }.items():
            self.assertEqual(snake(name), expected)
        self.assertEqual(pascal("AWS.Simple.Queue"), "AWSSimpleQueue")


class Loading(unittest.TestCase):
    def test_keeps_what_the_listed_operations_reach(self):
        service = load("# comment\nPutThing  # why\n")
        self.assertEqual(service.structures, ["Part", "PutThingRequest"])
        self.assertEqual(service.errors, [("TooMany", "TooMany", 429, "")])

    def test_amendments_merge_and_null_removes(self):
        amendments = {
            "shapes": {"Text": {"min": None, "max": 5}},
            "errors": {"Gone": {"status": 410, "query": "Toy.Gone"}},
        }
        service = load("PutThing", amendments)
        self.assertEqual(service.shapes["Text"], {"type": "string", "max": 5})
        self.assertIn(("Gone", "Gone", 410, "Toy.Gone"), service.errors)

    def test_names_what_is_wrong(self):
        for operations, amendments in [
            ("NoSuchThing", None),
            ("PutThing\nPutThing", None),
            ("PutThing", {"shape": {}}),
        ]:
            with self.assertRaises(model.ModelError):
                load(operations, amendments)


class Permissions(unittest.TestCase):
    def needed(self, operations):
        service = load(operations)
        return [(p.action, p.resource, p.when_given) for p in service.permissions["PutThing"]]

    def test_an_operation_needs_the_action_of_its_name_on_anything(self):
        self.assertEqual(self.needed("PutThing"), [("toy:PutThing", "*", False)])

    def test_actions_and_resources_are_named_and_joined(self):
        text = "@thing arn:aws:toy:::{Name}\nPutThing toy:Put @thing + iam:PassRole {Name}?"
        self.assertEqual(self.needed(text), [("toy:Put", "arn:aws:toy:::{Name}", False),
                                             ("iam:PassRole", "{Name}", True)])

    def test_an_operation_that_asks_for_itself_needs_nothing_before(self):
        self.assertEqual(self.needed("PutThing self"), [])
        self.assertEqual(self.needed("PutThing free"), [])

    def test_a_template_names_members_of_the_input(self):
        for text in ("PutThing {Nmae}", "PutThing @thing"):
            with self.assertRaises(model.ModelError):
                load(text)


class Emitting(unittest.TestCase):
    def test_required_members_are_plain_and_cycles_are_shared(self):
        text = emit.texts(load("PutThing"))["model.h"]
        self.assertIn("  std::string name;", text)
        self.assertIn("  std::optional<std::vector<Part>> parts;", text)
        self.assertIn("  std::shared_ptr<Part> inner;", text)
        self.assertNotIn("OtherRequest", text)

    def test_operations_without_output_answer_empty(self):
        text = emit.texts(load("PutThing"))["dispatch.h"]
        self.assertIn("wire::bind<PutThingRequest, wire::Empty>", text)
        self.assertIn("service.put_thing(context, std::move(input))", text)

    def test_ec2_has_other_names_in_requests(self):
        text = emit.texts(load("PutThing", EC2))["model.cpp"]
        for wire_name, ec2_name in [("name", "Name"), ("partSet", "Part"), ("Plain", "Plain")]:
            self.assertIn(
                f'.wire_name = "{wire_name}",\n     .ec2_name = "{ec2_name}"', text, ec2_name
            )
        self.assertIn('.element_name = "item"', text)
        self.assertIn("wire::Protocol::Ec2", text)

    def test_constraints_are_for_services_that_check_them(self):
        self.assertNotIn(".min = ", emit.texts(load("PutThing"))["model.cpp"])
        checked = {"metadata": {"validationCode": "ValidationError"}}
        self.assertIn(".min = 1", emit.texts(load("PutThing", checked))["model.cpp"])

    def test_dots_leave_an_errors_code_for_its_name(self):
        text = emit.texts(load("PutThing", EC2))["errors.h"]
        self.assertIn('kInvalidThingIDNotFound{"InvalidThingID.NotFound", 400, ""}', text)


if __name__ == "__main__":
    unittest.main()
