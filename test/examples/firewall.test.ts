// The example is a test file itself.
import '../../examples/firewall.test.ts';
