from hypothesis import settings as hypothesis_settings

pytest_plugins = ["tests.failures", "tests.leaks", "tests.databases", "tests.parts"]

hypothesis_settings.register_profile("gateway", deadline=None)
hypothesis_settings.load_profile("gateway")
