// Integers everywhere: every pair, and nothing to repair.

const REPAIRS = false;
fn next(pair: u32, end: u32) -> u32 { return pair; }
fn is_mine(block: u32) -> bool { return true; }
