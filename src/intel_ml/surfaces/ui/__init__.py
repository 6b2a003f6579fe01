"""src/intel_ml/surfaces/ui"""
