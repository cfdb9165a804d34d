# SPDX-License-Identifier: MIT OR Unlicense
"""dolon as a Conan 2 package: `conan create .` in an unpacked release (`make dist`)."""

import os
import re

from conan import ConanFile
from conan.tools.files import copy, load


class Dolon(ConanFile):
    name = "dolon"
    description = "See what a program does over hours and days: a tracing client in one header"
    license = "MIT OR Unlicense"
    topics = ("tracing", "profiling", "metrics", "monitoring", "header-only")
    package_type = "header-library"
    settings = "os"
    exports_sources = "dolon.h", "LICENSE"
    no_copy_source = True

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "dolon.h"))
        self.version = re.search(r'#define DOLON_VERSION "(.*)"', header).group(1)

    def package(self):
        copy(self, "dolon.h", self.source_folder, os.path.join(self.package_folder, "include"))
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.system_libs = ["ws2_32"] if self.settings.os == "Windows" else ["pthread"]
