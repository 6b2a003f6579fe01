"""src/intel_ml/data/sandbox"""
